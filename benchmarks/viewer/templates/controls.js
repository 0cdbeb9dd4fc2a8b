// Buttons, keys, mouse and touch. All that they do is change the viewer's state.

const KEYS = {
  " ": (viewer) => viewer.choose(viewer.state.picture === "after" ? "before" : "after"),
  d: (viewer) => viewer.choose(viewer.state.picture === "difference" ? "after" : "difference"),
  s: (viewer) => viewer.toggle("split"),
  b: (viewer) => viewer.toggle("blink"),
  1: (viewer) => viewer.preset("lung"),
  2: (viewer) => viewer.preset("mediastinum"),
  3: (viewer) => viewer.preset("noise"),
  4: (viewer) => viewer.change({ zoom: "site" }),
  5: (viewer) => viewer.change({ zoom: "region" }),
  6: (viewer) => viewer.change({ zoom: "scan" }),
  m: (viewer) => viewer.toggle("mask"),
  h: (viewer) => viewer.toggle("heat"),
  c: (viewer) => viewer.toggle("cross"),
  x: (viewer) => viewer.toggle("pixels"),
  r: (viewer) => viewer.home(),
  n: () => document.getElementById("next").click(),
  p: () => document.getElementById("previous").click(),
  ArrowUp: (viewer) => viewer.scroll(viewer.active, -1),
  ArrowDown: (viewer) => viewer.scroll(viewer.active, 1),
  ArrowLeft: (viewer) => viewer.moveEdge(viewer.state.edge - 0.02),
  ArrowRight: (viewer) => viewer.moveEdge(viewer.state.edge + 0.02),
};
/** Pixels that a finger moves for a slice. */
const FINGER = 9;

function bindKeys(viewer) {
  addEventListener("keydown", (event) => {
    const { target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.matches("input") && event.key.startsWith("Arrow")) return;
    if (event.key === " " && target.matches("button, summary")) return; // the keyboard is on it, so it means that
    const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || !viewer.sample) return;
    event.preventDefault();
    act(viewer);
  });
}

function bindButtons(viewer) {
  const actions = {
    picture: (value) => viewer.choose(value),
    preset: (value) => viewer.preset(value),
    zoom: (value) => viewer.change({ zoom: value }),
    toggle: (value) => viewer.toggle(value),
  };
  document.querySelector(".tools").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || !viewer.sample) return;
    for (const [name, act] of Object.entries(actions)) if (button.dataset[name]) act(button.dataset[name]);
    if (event.detail) button.blur(); // a mouse leaves the space bar free for before and after
  });
  for (const name of ["level", "width"]) {
    document.getElementById(name).addEventListener("input", (event) => viewer.window({ [name]: Number(event.target.value) }));
  }
}

function bindPane(pane, viewer) {
  const { canvas, slider } = pane;
  slider.addEventListener("input", () => viewer.moveTo(pane.still, Number(slider.value)));
  canvas.addEventListener("focus", () => (viewer.active = pane));
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("dblclick", () => viewer.enlarge(pane));
  pane.figure.querySelector(".enlarge").addEventListener("click", () => viewer.enlarge(pane));
  let turns = 0;
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (event.ctrlKey || pane.whole) return;
      event.preventDefault();
      turns += event.deltaMode ? event.deltaY * 30 : event.deltaY;
      const steps = Math.trunc(turns / 30);
      turns -= steps * 30;
      if (steps) viewer.scroll(pane, Math.sign(steps) * Math.min(3, Math.abs(steps)));
    },
    { passive: false },
  );
  bindPointer(pane, viewer);
}

function bindPointer(pane, viewer) {
  const { canvas } = pane;
  let drag = null;

  canvas.addEventListener("pointerdown", (event) => {
    if (!viewer.sample) return;
    viewer.active = pane;
    const touch = event.pointerType === "touch";
    const windowing = event.button === 2 || event.shiftKey;
    const does = windowing ? "window" : viewer.split ? "edge" : touch ? "scroll" : "cross";
    drag = { does, x: event.clientX, y: event.clientY, at: [event.clientX, event.clientY], state: { ...viewer.state }, moved: false };
    if (!touch) canvas.setPointerCapture(event.pointerId);
    if (does === "cross" || (does === "edge" && !touch)) move(event);
  });

  canvas.addEventListener("pointermove", (event) => {
    if (drag) move(event);
    else if (event.pointerType !== "touch") point(event);
  });

  canvas.addEventListener("pointerup", (event) => {
    if (drag && !drag.moved && event.pointerType === "touch" && drag.does === "scroll") cross(event);
    drag = null;
  });
  canvas.addEventListener("pointercancel", () => (drag = null));
  canvas.addEventListener("pointerleave", () => {
    if (drag || !pane.pointed) return;
    pane.pointed = null;
    viewer.redraw();
  });

  function point(event) {
    pane.pointed = pane.voxel(event.clientX, event.clientY);
    pane.write();
  }

  function cross(event) {
    const zyx = pane.voxel(event.clientX, event.clientY);
    if (zyx && !pane.whole) viewer.moveCross(zyx);
    if (event.pointerType !== "touch") pane.pointed = zyx;
  }

  function move(event) {
    const [right, down] = [event.clientX - drag.x, event.clientY - drag.y];
    drag.moved ||= Math.hypot(right, down) > 6;
    if (drag.does === "window") {
      viewer.window({ level: Math.round(drag.state.level + 3 * down), width: Math.max(10, Math.round(drag.state.width + 4 * right)) });
    } else if (drag.does === "edge") {
      const bounds = canvas.getBoundingClientRect();
      viewer.moveEdge((event.clientX - bounds.left) / bounds.width);
    } else if (drag.does === "scroll") {
      const steps = Math.trunc((event.clientX - drag.at[0]) / FINGER);
      if (steps) viewer.scroll(pane, steps);
      drag.at[0] += steps * FINGER;
    } else {
      cross(event);
    }
  }
}
