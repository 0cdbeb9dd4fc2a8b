// The viewer: loads a sample and its place, keeps the state, and tells the panes to draw.

const KEPT = ["picture", "split", "edge", "preset", "level", "width", "difference", "zoom", "mask", "heat", "cross", "pixels", "large"];

class Viewer {
  constructor() {
    this.state = {
      picture: "after", split: false, blink: false, edge: 0.5, preset: "lung", ...PRESETS.lung, zoom: "region",
      mask: true, heat: true, cross: true, pixels: false, large: "axial", position: [0, 0, 0],
    };
    this.remember();
    this.panes = [...document.querySelectorAll(".pane")].map((figure) => new Pane(figure, this));
    this.active = this.panes[0];
    this.sample = null;
    bindKeys(this);
    bindButtons(this);
    // At once, so that no picture is ever seen in the shape of another size.
    const resized = new ResizeObserver(() => this.sample && this.draw());
    for (const pane of this.panes) {
      bindPane(pane, this);
      resized.observe(pane.canvas);
    }
    setInterval(() => this.state.blink && this.redraw(), 650);
  }

  // What is shown of before and after.

  get picture() {
    const { picture, blink } = this.state;
    if (!this.sample.edit) return "after";
    return blink ? (Math.floor(performance.now() / 650) % 2 ? "before" : "after") : picture;
  }

  get split() {
    return this.state.split && Boolean(this.sample?.edit);
  }

  get secondPicture() {
    return this.state.picture === "difference" ? "difference" : "after";
  }

  choose(picture) {
    this.change({ picture, blink: false });
  }

  toggle(name) {
    const value = !this.state[name];
    this.change({ [name]: value, ...(value && name === "blink" ? { split: false } : {}), ...(value && name === "split" ? { blink: false } : {}) });
  }

  preset(name) {
    this.change({ preset: name, ...PRESETS[name] });
  }

  window(values) {
    const width = values.width ?? this.state.width;
    this.change({ ...values, preset: null, difference: Math.max(10, Math.round(width / 3)) });
  }

  // Where.

  home() {
    this.change({ position: [...this.place.centre] });
  }

  moveCross(zyx) {
    this.change({ position: this.kept(zyx) });
  }

  moveTo(axis, index) {
    this.moveCross(this.state.position.map((each, other) => (other === axis ? index : each)));
  }

  scroll(pane, steps) {
    if (pane.whole) return;
    const towards = this.place.flipped[pane.still] ? -steps : steps;
    this.moveTo(pane.still, this.state.position[pane.still] + towards);
  }

  moveEdge(share) {
    if (this.split) this.change({ edge: Math.max(0.02, Math.min(0.98, share)) });
  }

  enlarge(pane) {
    this.change({ large: pane.plane });
  }

  /** The voxel nearest to one that can be scrolled to. */
  kept(zyx) {
    const { start, shape } = this.place.region;
    return zyx.map((each, axis) => Math.max(start[axis], Math.min(start[axis] + shape[axis] - 1, each)));
  }

  change(values) {
    Object.assign(this.state, values);
    try {
      sessionStorage.setItem("m3dsynth", JSON.stringify(Object.fromEntries(KEPT.map((name) => [name, this.state[name]]))));
    } catch {
      // a page from a file may have no storage
    }
    this.redraw();
  }

  remember() {
    try {
      Object.assign(this.state, JSON.parse(sessionStorage.getItem("m3dsynth") ?? "{}"));
    } catch {
      // nor anything in it
    }
  }

  // What is said.

  /** HU of a voxel: before and after where they differ, and where it lies. */
  reading(zyx) {
    const [before, after] = this.hounsfield(zyx);
    const number = (value) => String(value).replace("-", "−");
    const value = before === after ? `${number(after)} HU` : `${number(before)} → ${number(after)} HU`;
    return `${value}\nz ${zyx[0]}  y ${zyx[1]}  x ${zyx[2]}`;
  }

  hounsfield(zyx) {
    const blocks = [this.place.region, ...this.place.planes];
    const before = blocks.map((block) => at(block, zyx)).find((value) => value !== undefined);
    return [before, (this.sample.edit && at(this.sample.edit.after, zyx)) ?? before];
  }

  /** What a picture says of itself, in one line or two. */
  stamp(wide) {
    const { label, phantom } = this.line;
    const original = label !== "pristine" && this.picture === "before" && !this.split;
    const made = { tampered: "AI-tampered", control: "Control", pristine: "Unaltered" }[label];
    const words = [original ? "Before the edit" : made, ...(phantom ? ["phantom"] : [])].join(", ");
    return wide ? [`${words}. Research image; not for diagnosis`] : [words, "not for diagnosis"];
  }

  // Drawing.

  redraw() {
    if (!this.sample || this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  draw() {
    const { state } = this;
    for (const pane of this.panes) pane.figure.classList.toggle("large", pane.plane === state.large);
    for (const pane of this.panes) pane.draw();
    this.press();
    const summary = document.querySelector(".window summary");
    const text = state.picture === "difference" && !state.blink
      ? `±${state.difference} HU`
      : `L ${state.level}  W ${state.width}`;
    summary.textContent = text.replace("-", "−");
    byId("level").value = state.level;
    byId("width").value = state.width;
    const [before, after] = this.hounsfield(state.position);
    Object.assign(document.documentElement.dataset, { drawn: this.line.id, position: state.position.join(" "), before, after });
  }

  press() {
    const { state, sample } = this;
    const pressed = (button) => {
      const { picture, preset, zoom, toggle } = button.dataset;
      if (picture) return !state.blink && state.picture === picture;
      if (preset) return state.preset === preset;
      return zoom ? state.zoom === zoom : state[toggle];
    };
    for (const button of document.querySelectorAll(".tools button")) {
      button.setAttribute("aria-pressed", String(Boolean(pressed(button))));
      const { picture, toggle } = button.dataset;
      button.hidden = (toggle === "heat" && !sample.verdict) || (!sample.edit && (picture || ["split", "blink", "mask"].includes(toggle)));
    }
    document.querySelector(".group.picture").hidden = !sample.edit;
  }

  show(line, sample, place) {
    const moved = place !== this.place;
    Object.assign(this, { line, sample, place });
    this.state.position = this.kept(moved ? place.centre : this.state.position);
    describe(line, sample, place);
    this.redraw();
  }
}
