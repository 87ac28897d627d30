// What viewer.js uses of three.js. "npm install && npm run build" here makes three.min.js anew.
export {
  BufferAttribute, BufferGeometry, Color, DoubleSide, InstancedBufferAttribute,
  InstancedBufferGeometry, LineBasicMaterial, LineSegments, Mesh, PerspectiveCamera, Scene,
  ShaderMaterial, Vector3, WebGLRenderer, WebGLRenderTarget,
} from "three";
export { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
