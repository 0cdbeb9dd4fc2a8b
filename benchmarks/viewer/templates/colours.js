// Colours of voxels. A picture is a canvas with one pixel a voxel.

/** HU; difference: what is shown in full colour when before is taken from after. */
const PRESETS = {
  lung: { level: -600, width: 1500, difference: 500 },
  mediastinum: { level: 40, width: 400, difference: 200 },
  noise: { level: -850, width: 300, difference: 60 },
};
const MASK_COLOUR = "#ffc24b";
const MAP_COLOUR = "#ff5cc8";
const MAP_LEVEL = 127.5;

function painted({ rows, columns }, colour) {
  const picture = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
  const context = picture.getContext("2d");
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer); // little-endian: alpha, blue, green, red
  for (let i = 0; i < pixels.length; i++) pixels[i] = colour(i);
  context.putImageData(image, 0, 0);
  return picture;
}

const opaque = (red, green, blue) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

/** Grey of a value under a window, 0 to 255. */
function shade(value, level, width) {
  return Math.max(0, Math.min(255, Math.round(((value - level) / width + 0.5) * 255)));
}

function grey(slice, { level, width }) {
  return painted(slice, (i) => {
    const tone = shade(slice.values[i], level, width);
    return opaque(tone, tone, tone);
  });
}

/** Black where nothing changed, orange where it became denser, blue where it became thinner. */
function difference(before, after, full) {
  return painted(before, (i) => {
    const change = Math.max(-1, Math.min(1, (after.values[i] - before.values[i]) / full));
    const strength = Math.abs(change);
    return change > 0
      ? opaque(255 * strength, 255 * (0.6 * strength + 0.25 * strength ** 3), 70 * strength ** 2)
      : opaque(70 * strength ** 2, 255 * (0.5 * strength + 0.3 * strength ** 3), 255 * strength);
  });
}

/** A map over the scan: the likelier, the less of the scan is seen through it. */
function glow(slice) {
  return painted(slice, (i) => {
    const share = slice.values[i] / 255;
    const alpha = Math.round(150 * share);
    return ((alpha << 24) | ((110 + 100 * share) << 16) | ((20 + 90 * share * share) << 8) | (150 + 105 * share)) >>> 0;
  });
}
