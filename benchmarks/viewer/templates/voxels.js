"use strict";
// Boxes of voxels, and the slices that are cut from them. Axes are z, y, x; HU.

/** Of z, y and x: the axis that a plane stands still on, the one that goes down, and the one that goes right. */
const PLANES = { axial: [0, 1, 2], coronal: [1, 0, 2], sagittal: [2, 0, 1] };

/** The voxels of a box as the release has them; null for none. */
async function unpacked(block) {
  if (!block) return null;
  const packed = Uint8Array.from(atob(block.data), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  return { start: block.start, shape: block.shape, voxels: block.type === "int16" ? joined(bytes) : bytes };
}

/** int16 from all low bytes, then all high bytes. */
function joined(bytes) {
  const voxels = new Int16Array(bytes.length / 2);
  for (let i = 0; i < voxels.length; i++) voxels[i] = bytes[i] | (bytes[voxels.length + i] << 8);
  return voxels;
}

/** A voxel of a box; undefined outside of it. */
function at(block, zyx) {
  const [z, y, x] = zyx.map((each, axis) => each - block.start[axis]);
  const [depth, height, width] = block.shape;
  const inside = z >= 0 && y >= 0 && x >= 0 && z < depth && y < height && x < width;
  return inside ? block.voxels[(z * height + y) * width + x] : undefined;
}

/** Where a voxel is shown along an axis, and which voxel is shown there: it is the same rule. */
const turned = (place, axis, index) => (place.flipped[axis] ? place.shape[axis] - 1 - index : index);

/**
 * A slice of a box as it is shown; null where the box has none.
 * @returns values row by row, their count along both sides, and where the first stands in the whole slice.
 */
function cut(block, plane, index, place) {
  const [still, down, right] = PLANES[plane];
  const layer = block ? index - block.start[still] : -1;
  if (layer < 0 || layer >= block.shape[still]) return null;
  const steps = [block.shape[1] * block.shape[2], block.shape[2], 1];
  const [rows, columns] = [block.shape[down], block.shape[right]];
  const values = new block.voxels.constructor(rows * columns);
  for (let row = 0; row < rows; row++) {
    const from = layer * steps[still] + (place.flipped[down] ? rows - 1 - row : row) * steps[down];
    for (let column = 0; column < columns; column++) {
      values[row * columns + column] =
        block.voxels[from + (place.flipped[right] ? columns - 1 - column : column) * steps[right]];
    }
  }
  const first = (axis) => turned(place, axis, block.start[axis] + (place.flipped[axis] ? block.shape[axis] - 1 : 0));
  return { values, rows, columns, top: first(down), left: first(right) };
}

/** A slice with another laid over it, as far as that reaches; the slice itself where there is no other. */
function overlaid(base, patch) {
  if (!patch) return base;
  const values = base.values.slice();
  for (let row = 0; row < patch.rows; row++) {
    const y = row + patch.top - base.top;
    if (y < 0 || y >= base.rows) continue;
    for (let column = 0; column < patch.columns; column++) {
      const x = column + patch.left - base.left;
      if (x >= 0 && x < base.columns) values[y * base.columns + x] = patch.values[row * patch.columns + column];
    }
  }
  return { ...base, values };
}

/** The lines along which a slice crosses a level, as [x, y, x, y] in voxels of the whole slice. */
function outline({ values, rows, columns, top, left }, level) {
  const over = (y, x) => y >= 0 && x >= 0 && y < rows && x < columns && values[y * columns + x] > level;
  const lines = [];
  for (let y = 0; y <= rows; y++) {
    for (const [from, to] of runs(columns, (x) => over(y, x) !== over(y - 1, x))) {
      lines.push([left + from, top + y, left + to, top + y]);
    }
  }
  for (let x = 0; x <= columns; x++) {
    for (const [from, to] of runs(rows, (y) => over(y, x) !== over(y, x - 1))) {
      lines.push([left + x, top + from, left + x, top + to]);
    }
  }
  return lines;
}

/** Where a condition holds, as pairs of first and after the last. */
function runs(length, holds) {
  const found = [];
  for (let i = 0; i < length; i++) {
    if (!holds(i)) continue;
    const from = i;
    while (i + 1 < length && holds(i + 1)) i++;
    found.push([from, i + 1]);
  }
  return found;
}
