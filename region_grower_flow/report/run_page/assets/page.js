// Tabs, and buttons that copy. Without it all parts stand one below the other.
"use strict";
(() => {
  const tabs = [...document.querySelectorAll(".tab")];
  const links = [...document.querySelectorAll("nav a")];
  const show = () => {
    let name = "";
    try { name = decodeURIComponent(location.hash.slice(1)); } catch { /* not an address of ours */ }
    const target = name && document.getElementById(name);
    const tab = (target && target.closest(".tab")) || tabs[0];
    for (const other of tabs) other.classList.toggle("on", other === tab);
    for (const link of links) {
      if (link.hash === "#" + tab.id) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (target && target !== tab) target.scrollIntoView();
    else window.scrollTo(0, 0);
    window.dispatchEvent(new Event("resize"));
  };
  document.documentElement.classList.add("js");
  window.addEventListener("hashchange", show);
  show();
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", () => {
      const source = document.getElementById(button.dataset.copy);
      const range = document.createRange();
      range.selectNodeContents(source);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      let copied = false;
      try { copied = document.execCommand("copy"); } catch { /* it is marked, to be copied by hand */ }
      button.textContent = copied ? "Copied" : "Marked";
    });
  }
})();
