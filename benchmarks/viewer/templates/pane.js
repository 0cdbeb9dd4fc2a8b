// A pane: one plane of a place, drawn to scale in mm, so that voxels have the shape that they have in the patient.

const SITE_MM = 44;
const SCALES_MM = [1, 2, 5, 10, 20, 50, 100, 200];

class Pane {
  constructor(figure, viewer) {
    this.figure = figure;
    this.plane = figure.dataset.plane;
    this.viewer = viewer;
    this.canvas = figure.querySelector("canvas");
    this.slider = figure.querySelector("input");
    [this.still, this.down, this.right] = PLANES[this.plane];
    this.reading = figure.querySelector(".reading");
    this.pointed = null;
  }

  get whole() {
    return this.viewer.state.zoom === "scan";
  }

  get narrow() {
    return this.canvas.clientWidth < 260;
  }

  /** The slice that is shown. */
  get index() {
    const { place, state } = this.viewer;
    return this.whole ? place.centre[this.still] : state.position[this.still];
  }

  /** The box that is cut: the region, or the one whole slice that is kept. */
  get base() {
    const { place } = this.viewer;
    return this.whole ? place.planes[this.still] : place.region;
  }

  slices() {
    const { place, sample } = this.viewer;
    const sliced = (block) => cut(block, this.plane, this.index, place);
    const before = sliced(this.base);
    const map = sample.verdict && (this.whole ? sample.verdict.planes[this.still] : sample.verdict.region);
    return {
      before,
      after: overlaid(before, sample.edit && sliced(sample.edit.after)),
      mask: sample.edit && sliced(sample.edit.mask),
      map: sliced(map),
    };
  }

  /** Pixels per mm, and where the whole slice's first corner lies, in pixels of the canvas. */
  view(before) {
    const { place, state } = this.viewer;
    const mm = (axis) => place.spacing_mm[axis];
    const site = (axis) => (turned(place, axis, place.centre[axis]) + 0.5) * mm(axis);
    const near = state.zoom === "site";
    const [width, height] = near ? [SITE_MM, SITE_MM] : [before.columns * mm(this.right), before.rows * mm(this.down)];
    const middle = near
      ? [site(this.right), site(this.down)]
      : [before.left * mm(this.right) + width / 2, before.top * mm(this.down) + height / 2];
    const scale = Math.min(this.canvas.width / width, this.canvas.height / height);
    return {
      scale,
      dx: scale * mm(this.right),
      dy: scale * mm(this.down),
      x: this.canvas.width / 2 - middle[0] * scale,
      y: this.canvas.height / 2 - middle[1] * scale,
    };
  }

  /** The voxel (z, y, x) at a pixel of the page, kept to what can be shown; null outside. */
  voxel(clientX, clientY) {
    if (!this.seen) return null;
    const bounds = this.canvas.getBoundingClientRect();
    const ratio = this.canvas.width / bounds.width;
    const { x, y, dx, dy } = this.seen;
    const { place } = this.viewer;
    const zyx = [0, 0, 0];
    zyx[this.still] = this.index;
    zyx[this.right] = turned(place, this.right, Math.floor(((clientX - bounds.left) * ratio - x) / dx));
    zyx[this.down] = turned(place, this.down, Math.floor(((clientY - bounds.top) * ratio - y) / dy));
    return at(this.base, zyx) === undefined ? null : zyx;
  }

  draw() {
    const ratio = devicePixelRatio || 1;
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight].map((each) => Math.round(each * ratio));
    if (!width || !height) return;
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext("2d");
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    const slices = this.slices();
    this.seen = this.view(slices.before);
    this.ratio = ratio;
    this.drawVoxels(context, slices);
    this.drawMarks(context, slices);
    this.drawScale(context);
    this.drawNotice(context);
    this.write();
  }

  drawVoxels(context, slices) {
    const { state } = this.viewer;
    context.imageSmoothingEnabled = !state.pixels;
    context.imageSmoothingQuality = "high";
    if (!this.viewer.split) {
      this.put(context, slices.before, this.picture(slices, this.viewer.picture));
      return;
    }
    const edge = Math.round(this.canvas.width * state.edge);
    this.put(context, slices.before, this.picture(slices, "before"));
    context.save();
    context.beginPath();
    context.rect(edge, 0, this.canvas.width - edge, this.canvas.height);
    context.clip();
    this.put(context, slices.before, this.picture(slices, this.viewer.secondPicture));
    context.restore();
    this.drawEdge(context, edge);
  }

  picture({ before, after }, name) {
    const { state } = this.viewer;
    if (name === "difference") return difference(before, after, state.difference);
    return grey(name === "before" ? before : after, state);
  }

  put(context, slice, picture) {
    const { x, y, dx, dy } = this.seen;
    context.drawImage(picture, x + slice.left * dx, y + slice.top * dy, slice.columns * dx, slice.rows * dy);
  }

  /** Low in the picture, where it hides nothing of the site. */
  drawEdge(context, edge) {
    const { ratio } = this;
    const line = this.canvas.height - 52 * ratio;
    context.fillStyle = "#fffc";
    context.fillRect(edge - ratio / 2, 0, ratio, this.canvas.height);
    context.beginPath();
    context.arc(edge, line, 7 * ratio, 0, 2 * Math.PI);
    context.fillStyle = "#000a";
    context.fill();
    context.lineWidth = 1.5 * ratio;
    context.strokeStyle = "#fff";
    context.stroke();
    if (this.narrow) return;
    this.text(context, "before", edge - 13 * ratio, line + 4 * ratio, "right");
    this.text(context, this.viewer.secondPicture, edge + 13 * ratio, line + 4 * ratio, "left");
  }

  drawMarks(context, { mask, map }) {
    const { state } = this.viewer;
    if (map && state.heat) {
      context.imageSmoothingEnabled = !state.pixels;
      this.put(context, map, glow(map));
      this.stroke(context, outline(map, MAP_LEVEL), MAP_COLOUR, 1.25);
    }
    if (mask && state.mask) this.stroke(context, outline(mask, 0), MASK_COLOUR, 1);
    if (state.cross) this.drawCross(context);
    if (this.whole) this.drawFrame(context);
  }

  stroke(context, lines, colour, width) {
    const { x, y, dx, dy } = this.seen;
    context.beginPath();
    for (const [fromX, fromY, toX, toY] of lines) {
      context.moveTo(x + fromX * dx, y + fromY * dy);
      context.lineTo(x + toX * dx, y + toY * dy);
    }
    context.lineCap = "square";
    context.lineWidth = width * this.ratio;
    context.strokeStyle = colour;
    context.stroke();
  }

  /** Lines that leave the middle free. */
  drawCross(context) {
    const { place, state } = this.viewer;
    const { x, y, dx, dy, scale } = this.seen;
    const position = this.whole ? place.centre : state.position;
    const [middleX, middleY] = [
      x + (turned(place, this.right, position[this.right]) + 0.5) * dx,
      y + (turned(place, this.down, position[this.down]) + 0.5) * dy,
    ];
    const gap = Math.max(14 * scale, 14 * this.ratio);
    context.beginPath();
    for (const [fromX, fromY, toX, toY] of [
      [0, middleY, middleX - gap, middleY],
      [middleX + gap, middleY, this.canvas.width, middleY],
      [middleX, 0, middleX, middleY - gap],
      [middleX, middleY + gap, middleX, this.canvas.height],
    ]) {
      if (toX < fromX || toY < fromY) continue;
      context.moveTo(fromX, fromY);
      context.lineTo(toX, toY);
    }
    context.lineWidth = this.ratio;
    context.strokeStyle = "#7fb8ff66";
    context.stroke();
  }

  /** What can be scrolled through, on the whole slice. */
  drawFrame(context) {
    const { x, y, dx, dy } = this.seen;
    const { place } = this.viewer;
    const frame = cut(place.region, this.plane, this.index, place);
    context.lineWidth = this.ratio;
    context.strokeStyle = "#fff5";
    context.strokeRect(x + frame.left * dx, y + frame.top * dy, frame.columns * dx, frame.rows * dy);
  }

  drawScale(context) {
    const { ratio, seen } = this;
    const length = SCALES_MM.findLast((mm) => mm * seen.scale <= this.canvas.width / 3.2) ?? SCALES_MM[0];
    const lift = this.narrow ? 40 : 9; // over the notice, where there is no room beside it
    const [left, bottom, size] = [11 * ratio, this.canvas.height - lift * ratio, length * seen.scale];
    context.beginPath();
    context.moveTo(left, bottom - 4 * ratio);
    context.lineTo(left, bottom);
    context.lineTo(left + size, bottom);
    context.lineTo(left + size, bottom - 4 * ratio);
    context.lineWidth = 3 * ratio;
    context.strokeStyle = "#0008";
    context.stroke();
    context.lineWidth = 1.25 * ratio;
    context.strokeStyle = "#e6e6e4";
    context.stroke();
    this.text(context, `${length} mm`, left, bottom - 9 * ratio, "left");
  }

  /** In the picture itself, so that a copy of it says it too. */
  drawNotice(context) {
    const [right, bottom] = [this.canvas.width - 9 * this.ratio, this.canvas.height - 9 * this.ratio];
    const lines = this.viewer.stamp(this.canvas.clientWidth > 560);
    lines.toReversed().forEach((line, i) => this.text(context, line, right, bottom - 13 * i * this.ratio, "right"));
  }

  text(context, words, x, y, align) {
    context.font = `${11 * this.ratio}px system-ui, sans-serif`;
    context.textAlign = align;
    context.lineWidth = 3 * this.ratio;
    context.strokeStyle = "#000b";
    context.strokeText(words, x, y);
    context.fillStyle = "#dadad6";
    context.fillText(words, x, y);
  }

  /** Letters, numbers, and the slider. */
  write() {
    const { place, state } = this.viewer;
    const [[top, bottom], [left, right]] = [place.letters[this.down], place.letters[this.right]];
    const letters = { top, bottom, left, right };
    for (const [side, letter] of Object.entries(letters)) this.figure.querySelector(`.edge.${side}`).textContent = letter;
    this.figure.querySelector(".plane b").textContent = `${"zyx"[this.still]} ${this.index}`;
    const crossed = this.figure.classList.contains("large") && !this.whole ? state.position : null;
    const read = this.pointed ?? crossed;
    this.reading.textContent = read ? this.viewer.reading(read) : "";
    const [first, count] = [place.region.start[this.still], place.region.shape[this.still]];
    Object.assign(this.slider, { min: first, max: first + count - 1, value: this.index, disabled: this.whole });
    this.slider.setAttribute("aria-valuetext", `${"zyx"[this.still]} ${this.index}`);
    this.slider.style.direction = place.flipped[this.still] ? "rtl" : "ltr";
  }
}
