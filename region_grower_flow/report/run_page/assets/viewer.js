// Cells in three dimensions. What it reads is described in scene.py; three.js draws.
"use strict";
(() => {
  const stage = document.getElementById("stage");
  const canvas = document.getElementById("canvas");
  const scene = JSON.parse(document.getElementById("scene").textContent);
  const bytes = Uint8Array.from(atob(scene.data), (c) => c.charCodeAt(0)).buffer;
  scene.data = "";
  const column = (Kind, [first, count]) => new Kind(bytes, first, count);
  const points = column(Int16Array, scene.points);
  const lines = column(Int16Array, scene.lines);
  const counts = column(Uint16Array, scene.counts);
  const radii = column(Uint8Array, scene.radii);
  const kinds = column(Uint8Array, scene.kinds);

  let renderer;
  try {
    renderer = new THREE.WebGLRenderer({ canvas, antialias: true, preserveDrawingBuffer: true });
  } catch {
    canvas.hidden = true;
    document.getElementById("no-3d").hidden = false;
    stage.dataset.state = "none";
    return;
  }
  renderer.setClearColor(0xfbfcfd, 1);
  const world = new THREE.Scene();
  const camera = new THREE.PerspectiveCamera(28, 1, 1, 1e6);
  const controls = new THREE.OrbitControls(camera, canvas);
  controls.zoomToCursor = true;

  // A segment is a quad that faces the camera, as wide as its diameter and never under a pixel.
  const vertexShader = `
    attribute vec3 a; attribute vec3 b; attribute vec3 look; // radii at a and b, kind
    uniform float pixel; uniform float least;
    varying vec2 place; varying float isSoma; varying float kind;
    void main() {
      vec4 va = modelViewMatrix * vec4(a, 1.0);
      vec4 vb = modelViewMatrix * vec4(b, 1.0);
      vec3 way = vb.xyz - va.xyz;
      float along = position.x * 0.5 + 0.5;
      vec3 p = mix(va.xyz, vb.xyz, along);
      float r = max(mix(look.x, look.y, along), least * pixel * -p.z);
      isSoma = look.z == 1.0 ? 1.0 : 0.0;
      if (isSoma > 0.5) {
        p += vec3(position.xy * r, 0.0);
      } else {
        vec3 side = cross(way, p);
        p += side / max(length(side), 1e-6) * position.y * r;
        p += way / max(length(way), 1e-6) * position.x * r * 0.4;
      }
      place = position.xy; kind = look.z;
      gl_Position = projectionMatrix * vec4(p, 1.0);
    }`;
  const fragmentShader = `
    uniform vec3 color; uniform vec3 id; uniform float picking; uniform float dim;
    uniform float byKind;
    varying vec2 place; varying float isSoma; varying float kind;
    void main() {
      float out2 = isSoma > 0.5 ? dot(place, place) : place.y * place.y;
      if (out2 > 1.0) discard;
      if (picking > 0.5) { gl_FragColor = vec4(id, 1.0); return; }
      vec3 own = color;
      if (byKind > 0.5) {
        own = kind < 1.5 ? vec3(0.1) : kind < 2.5 ? vec3(0.145, 0.388, 0.788)
          : kind < 3.5 ? vec3(0.839, 0.184, 0.184) : vec3(0.545, 0.184, 0.788);
      }
      vec3 lit = own * (0.62 + 0.38 * sqrt(1.0 - out2)) * (isSoma > 0.5 ? 0.8 : 1.0);
      gl_FragColor = vec4(mix(lit, vec3(0.93, 0.945, 0.96), dim), 1.0);
    }`;
  const corners = new THREE.BufferAttribute(
    new Float32Array([-1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 1, 0]), 3);
  const shared = { pixel: { value: 1 }, least: { value: 0.45 }, picking: { value: 0 },
    byKind: { value: 0 } };

  // Least and greatest coordinates across, upwards and towards the viewer.
  const axes = [scene.across, scene.up, scene.normal].map((axis) => new THREE.Vector3(...axis));
  const low = [Infinity, Infinity, Infinity], high = low.map((x) => -x);
  const reach = (here) => axes.forEach((axis, i) => {
    const along = axis.x * here[0] + axis.y * here[1] + axis.z * here[2];
    low[i] = Math.min(low[i], along); high[i] = Math.max(high[i], along);
  });
  const cells = [];
  let point = 0, section = 0;
  for (const told of scene.cells) {
    const a = [], b = [], look = [];
    const at = told.at.map((x, i) => x - scene.origin[i]);
    a.push(...at); b.push(...at); look.push(told.soma || 4, told.soma || 4, 1);
    for (let last = section + told.sections; section < last; section += 1) {
      for (let k = 0; k < counts[section]; k += 1, point += 1) {
        const here = [0, 1, 2].map((i) => points[3 * point + i] * scene.unit);
        reach(here);
        if (k + 1 < counts[section]) {
          a.push(...here);
          for (let i = 3; i < 6; i += 1) b.push(points[3 * point + i] * scene.unit);
          look.push(radii[point] * 0.05, radii[point + 1] * 0.05, kinds[section]);
        }
      }
    }
    const geometry = new THREE.InstancedBufferGeometry();
    geometry.setAttribute("position", corners);
    geometry.setIndex([0, 1, 2, 0, 2, 3]);
    const instanced = (values) => new THREE.InstancedBufferAttribute(new Float32Array(values), 3);
    geometry.setAttribute("a", instanced(a));
    geometry.setAttribute("b", instanced(b));
    geometry.setAttribute("look", instanced(look));
    const number = cells.length + 1;
    const color = new THREE.Color();
    color.setRGB(...[1, 3, 5].map((i) => parseInt(told.color.slice(i, i + 2), 16) / 255));
    const material = new THREE.ShaderMaterial({ vertexShader, fragmentShader,
      side: THREE.DoubleSide, uniforms: { ...shared, color: { value: color }, dim: { value: 0 },
        id: { value: new THREE.Vector3((number & 255) / 255, (number >> 8) / 255, 0) } } });
    const mesh = new THREE.Mesh(geometry, material);
    mesh.frustumCulled = false;
    world.add(mesh);
    cells.push({ told, mesh, at: new THREE.Vector3(...at) });
  }

  const outlines = [];
  let vertex = 0;
  scene.outlines.forEach((outline, place) => {
    const vertices = [];
    const corners3 = [];
    for (const count of outline.counts) {
      for (let k = 0; k < count; k += 1, vertex += 1) {
        const here = [0, 1, 2].map((i) => lines[3 * vertex + i] * scene.unit);
        if (k > 0) vertices.push(...before, ...here);
        var before = here;
        reach(here);
        corners3.push(new THREE.Vector3(...here));
      }
    }
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position",
      new THREE.BufferAttribute(new Float32Array(vertices), 3));
    const drawn = new THREE.LineSegments(geometry, new THREE.LineBasicMaterial(
      { color: place % 2 ? 0x7f96ad : 0xa3b6c8, transparent: true, opacity: 0.55 }));
    world.add(drawn);
    const label = document.createElement("span");
    label.textContent = outline.name;
    document.getElementById("labels").append(label);
    outlines.push({ drawn, label, mark: leftmost(corners3) });
  });
  // Where a layer's name belongs: at its left end, in the middle of its height there.
  function leftmost(found) {
    const places = found.map((v) => v.dot(across()));
    const least = Math.min(...places), most = Math.max(...places);
    const near = found.filter((_, i) => places[i] <= least + 0.05 * (most - least));
    const mean = near.reduce((sum, v) => sum.add(v), new THREE.Vector3());
    return near.length ? mean.divideScalar(near.length) : null;
  }
  function across() { return new THREE.Vector3(...scene.across); }

  // Looking.
  const middle = new THREE.Vector3();
  axes.forEach((axis, i) => middle.addScaledVector(axis, (low[i] + high[i]) / 2));
  const spans = low.map((x, i) => Math.max(high[i] - x, 1));
  const size = Math.hypot(...spans);
  camera.up.set(...scene.up);
  const front = axes[2];
  const look = (direction) => {
    controls.target.copy(middle);
    // From the front or from the pia: what is deep there is high here.
    const steep = Math.abs(direction.dot(axes[1])) > 0.7;
    const [wide, tall, deep] = steep ? [spans[0], spans[2], spans[1]] : spans;
    const need = Math.max(tall, wide / Math.max(camera.aspect, 0.1));
    const distance = 0.53 * need / Math.tan(camera.fov * Math.PI / 360);
    camera.position.copy(middle).addScaledVector(direction, distance + 0.5 * deep);
    camera.near = size / 2000; camera.far = size * 20;
    controls.update();
    draw();
  };

  let waiting = false;
  const draw = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      if (!stage.clientWidth) return;
      shared.pixel.value = 2 * Math.tan(camera.fov * Math.PI / 360) / stage.clientHeight;
      camera.updateProjectionMatrix();
      renderer.render(world, camera);
      place();
      stage.dataset.state = "drawn";
    });
  };
  const place = () => {
    const seen = [];
    for (const { drawn, label, mark } of outlines) {
      const at = mark && mark.clone().project(camera);
      label.hidden = !drawn.visible || !at || at.z > 1;
      if (!label.hidden) {
        seen.push({ label, left: Math.max((at.x + 1) / 2 * stage.clientWidth, 60),
          top: (1 - at.y) / 2 * stage.clientHeight });
      }
    }
    // Names of thin layers would lie on each other: the lower one moves down.
    seen.sort((one, other) => one.top - other.top);
    seen.forEach((name, i) => {
      for (const above of seen.slice(0, i)) {
        if (Math.abs(above.left - name.left) < 60) name.top = Math.max(name.top, above.top + 14);
      }
      name.label.style.left = `${name.left}px`;
      name.label.style.top = `${name.top}px`;
    });
    const perPixel = shared.pixel.value * camera.position.distanceTo(controls.target);
    const power = 10 ** Math.floor(Math.log10(140 * perPixel));
    const length = [5, 2, 1].map((f) => f * power).find((f) => f <= 140 * perPixel) || power;
    const ruler = document.getElementById("ruler");
    ruler.style.width = `${length / perPixel}px`;
    ruler.firstChild.textContent = length < 1000 ? `${length} µm` : `${length / 1000} mm`;
  };
  const fit = () => {
    if (!stage.clientWidth) return;
    renderer.setPixelRatio(Math.min(window.devicePixelRatio || 1, 2));
    renderer.setSize(stage.clientWidth, stage.clientHeight, false);
    const first = !fit.done;
    camera.aspect = stage.clientWidth / stage.clientHeight;
    fit.done = true;
    if (first) look(front); else draw();
  };
  window.addEventListener("resize", fit);
  controls.addEventListener("change", draw);

  // Picking: what lies under the pointer is drawn again into a few pixels, a color for each cell.
  const REACH = 9;
  const target = new THREE.WebGLRenderTarget(REACH, REACH);
  const cellAt = (x, y) => {
    camera.setViewOffset(stage.clientWidth, stage.clientHeight,
      x - (REACH >> 1), y - (REACH >> 1), REACH, REACH);
    camera.updateProjectionMatrix();
    for (const { drawn } of outlines) { drawn.userData.was = drawn.visible; drawn.visible = false; }
    shared.picking.value = 1;
    renderer.setRenderTarget(target);
    renderer.setClearColor(0x000000, 1);
    renderer.render(world, camera);
    const found = new Uint8Array(4 * REACH * REACH);
    renderer.readRenderTargetPixels(target, 0, 0, REACH, REACH, found);
    renderer.setRenderTarget(null);
    renderer.setClearColor(0xfbfcfd, 1);
    shared.picking.value = 0;
    for (const { drawn } of outlines) drawn.visible = drawn.userData.was;
    camera.clearViewOffset();
    camera.updateProjectionMatrix();
    let best = null, nearest = Infinity;
    for (let i = 0; i < REACH * REACH; i += 1) {
      const number = found[4 * i] + 256 * found[4 * i + 1];
      const away = ((i % REACH) - (REACH >> 1)) ** 2 + (Math.floor(i / REACH) - (REACH >> 1)) ** 2;
      if (number && number <= cells.length && away < nearest) { best = number - 1; nearest = away; }
    }
    return best;
  };

  const hover = document.getElementById("hover");
  const chosen = document.getElementById("chosen");
  const list = document.getElementById("cell-list");
  let held = null, under = null;
  const paint = () => {
    const shown = held ?? under;
    cells.forEach(({ mesh }, i) => {
      mesh.material.uniforms.dim.value = shown === null || shown === i ? 0 : 0.82;
      mesh.renderOrder = shown === i ? 1 : 0;
    });
    draw();
  };
  const tell = (number) => {
    chosen.textContent = "";
    if (number === null) return;
    const dl = document.createElement("dl");
    for (const [name, value] of cells[number].told.facts) {
      const dt = document.createElement("dt"), dd = document.createElement("dd");
      dt.textContent = name; dd.textContent = value;
      dl.append(dt, dd);
    }
    chosen.append(dl);
  };
  const hold = (number) => {
    held = number;
    list.value = number === null ? "" : String(number);
    tell(number);
    paint();
  };
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  let moved = null, pending = false;
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons || pending) return;
    pending = true;
    requestAnimationFrame(() => {
      pending = false;
      const [x, y] = at(event);
      const found = cellAt(x, y);
      hover.hidden = found === null;
      if (found !== null) {
        const { told } = cells[found];
        hover.textContent = `${told.mtype} · ${told.short}`;
        hover.style.left = `${Math.min(x + 14, stage.clientWidth - 230)}px`;
        hover.style.top = `${y + 14}px`;
      }
      if (found !== under) {
        under = found;
        if (held === null) tell(found);
        paint();
      } else draw();
    });
  });
  canvas.addEventListener("pointerleave", () => { hover.hidden = true; under = null;
    if (held === null) tell(null); paint(); });
  canvas.addEventListener("pointerdown", (event) => { moved = at(event); });
  canvas.addEventListener("pointerup", (event) => {
    const [x, y] = at(event);
    if (moved && Math.hypot(x - moved[0], y - moved[1]) < 4) {
      const found = cellAt(x, y);
      hold(found === held ? null : found);
    }
  });
  canvas.addEventListener("keydown", (event) => {
    const keys = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === "Escape") hold(null);
    else if (keys[event.key]) {
      const turn = new THREE.Vector3().subVectors(camera.position, controls.target);
      turn.applyAxisAngle(camera.up, -0.12 * keys[event.key][0]);
      turn.addScaledVector(camera.up, -0.12 * keys[event.key][1] * turn.length());
      camera.position.copy(controls.target).add(turn);
      controls.update();
    } else if (event.key === "+" || event.key === "-") {
      camera.position.sub(controls.target).multiplyScalar(event.key === "+" ? 0.9 : 1.1)
        .add(controls.target);
      controls.update();
    } else return;
    event.preventDefault();
    draw();
  });

  // Switches.
  cells.forEach(({ told }, i) => list.append(new Option(`${told.mtype} · ${told.short}`, i)));
  list.addEventListener("change", () => hold(list.value === "" ? null : Number(list.value)));
  const switches = [...document.querySelectorAll("#mtype-switches input")];
  const turn = () => {
    const on = new Set(switches.filter((s) => s.checked).map((s) => scene.mtypes[s.dataset.mtype]));
    for (const { told, mesh } of cells) mesh.visible = on.has(told.mtype);
    draw();
  };
  for (const input of switches) input.addEventListener("change", turn);
  const all = (value) => { for (const input of switches) input.checked = value; turn(); };
  document.getElementById("all-mtypes").addEventListener("click", () => all(true));
  document.getElementById("no-mtypes").addEventListener("click", () => all(false));
  for (const input of document.querySelectorAll("#layer-switches input")) {
    input.addEventListener("change", () => {
      outlines[input.dataset.layer].drawn.visible = input.checked;
      draw();
    });
  }
  document.getElementById("view-front").addEventListener("click", () => look(front));
  document.getElementById("view-top").addEventListener("click", () =>
    look(new THREE.Vector3(...scene.up).addScaledVector(front, 0.02).normalize()));
  document.getElementById("color-by").addEventListener("click", (event) => {
    shared.byKind.value = 1 - shared.byKind.value;
    event.target.textContent = shared.byKind.value ? "Color: neurite" : "Color: mtype";
    draw();
  });
  window.rgfViewer = { cells, hold, cellAt, look, draw, camera, controls };
  fit();
})();
