// Addresses: #slug&generator=dm; the filters are those of the index.

const chosenFilters = () => new URLSearchParams(location.hash.slice(1).split("&").slice(1).join("&"));

function address(line) {
  const filters = chosenFilters();
  return `#${[line.slug, ...(filters.size ? [filters] : [])].join("&")}`;
}

function link(line) {
  const filters = chosenFilters();
  const among = m3d.samples.filter((each) => each === line || [...filters].every(([name, value]) => each[name] === value));
  const number = among.indexOf(line);
  byId("number").textContent = `${number + 1} / ${among.length}`;
  byId("previous").href = address(among.at(number - 1));
  byId("next").href = address(among[(number + 1) % among.length]);
  document.querySelector(".back").href = `index.html${filters.size ? `#${filters}` : ""}`;
}

// Loading. A page from a file may run scripts but not fetch: data come as scripts that call m3d.

const m3d = {
  received: new Map(),
  list({ samples, ...about }) {
    Object.assign(this, { about, samples });
  },
  place(place) {
    this.received.set(`places/${place.key}.js`, place);
  },
  sample(sample) {
    this.received.set(`samples/${sample.slug}.js`, sample);
  },
  start() {
    this.viewer = new Viewer();
    addEventListener("hashchange", visit);
    visit();
  },
};

function loaded(path) {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: path });
    script.onload = () => {
      script.remove();
      const content = m3d.received.get(path);
      m3d.received.delete(path);
      resolve(content);
    };
    script.onerror = () => reject(new Error(`${path} is missing; copy the whole folder`));
    document.head.append(script);
  });
}

const places = new Map();

async function placeOf(key) {
  if (!places.has(key)) {
    const place = await loaded(`places/${key}.js`);
    place.region = await unpacked(place.region);
    place.planes = await Promise.all(place.planes.map(unpacked));
    places.set(key, place);
    if (places.size > 6) places.delete(places.keys().next().value);
  }
  return places.get(key);
}

async function sampleOf(slug) {
  const sample = await loaded(`samples/${slug}.js`);
  const { edit, verdict } = sample;
  if (edit) sample.edit = { after: await unpacked(edit.after), mask: await unpacked(edit.mask) };
  if (verdict) {
    verdict.region = await unpacked(verdict.region);
    verdict.planes = await Promise.all(verdict.planes.map(unpacked));
  }
  return sample;
}

async function visit() {
  const slug = location.hash.slice(1).split("&")[0];
  const line = slug ? m3d.samples.find((each) => each.slug === slug) : m3d.samples[0];
  m3d.opening = line;
  if (!line) return fail(`This gallery has no sample ${slug}.`);
  link(line);
  document.querySelector(".failure").hidden = true;
  try {
    const [place, sample] = await Promise.all([placeOf(line.place), sampleOf(line.slug)]);
    if (m3d.opening === line) m3d.viewer.show(line, sample, place);
  } catch (error) {
    fail(`Cannot show ${line.id}: ${error.message}. A browser of 2023 or later is needed.`);
  }
}

function fail(words) {
  Object.assign(document.querySelector(".failure"), { textContent: words, hidden: false });
}
