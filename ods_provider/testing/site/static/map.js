// Points on a plain graticule: nothing of it comes from another host.

const STEPS = [45, 30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];
const LEAST_DEGREES = 0.004;
const LABEL_WIDE = 50; // pixels
const LABEL_HIGH = 18;

function drawn(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function padded(values, most) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const beside = Math.max((high - low) * 0.06, LEAST_DEGREES);
  return [Math.max(low - beside, -most), Math.min(high + beside, most)];
}

function lines(low, high) {
  const step = STEPS.find((size) => (high - low) / size >= 4) ?? STEPS.at(-1);
  const found = [];
  for (let at = Math.ceil(low / step); at * step <= high; at += 1) found.push(Number((at * step).toFixed(4)));
  return found;
}

const degrees = (value, [positive, negative]) => `${Math.abs(value)}°${value > 0 ? positive : value < 0 ? negative : ""}`;

// `points` are of {lon, lat, name}; the drawing is `width` pixels wide.
export function plot(points, width) {
  const [west, east] = padded(points.map((point) => point.lon), 180);
  const [south, north] = padded(points.map((point) => point.lat), 90);
  const squeeze = Math.max(0.3, Math.cos((((south + north) / 2) * Math.PI) / 180));
  const height = Math.round(Math.min(Math.max((width * (north - south)) / ((east - west) * squeeze), 200), 420));
  const scale = Math.min(width / ((east - west) * squeeze), height / (north - south));
  const x = (lon) => width / 2 + (lon - (west + east) / 2) * squeeze * scale;
  const y = (lat) => height / 2 - (lat - (south + north) / 2) * scale;
  // The frame is wider than the points: lines go through all of it.
  const spanX = width / squeeze / scale / 2;
  const spanY = height / scale / 2;
  const meridians = lines(Math.max(-180, (west + east) / 2 - spanX), Math.min(180, (west + east) / 2 + spanX));
  const parallels = lines(Math.max(-90, (south + north) / 2 - spanY), Math.min(90, (south + north) / 2 + spanY));
  const grid = drawn("g", { class: "grid", "aria-hidden": "true" });
  for (const lon of meridians) {
    grid.append(drawn("line", { x1: x(lon), x2: x(lon), y1: 0, y2: height }));
    if (x(lon) < width - LABEL_WIDE) grid.append(drawn("text", { x: x(lon) + 4, y: height - 6 }, degrees(lon, "EW")));
  }
  for (const lat of parallels) {
    grid.append(drawn("line", { x1: 0, x2: width, y1: y(lat), y2: y(lat) }));
    // Neither cut off at the top nor over those at the bottom.
    if (y(lat) > LABEL_HIGH && y(lat) < height - LABEL_HIGH) grid.append(drawn("text", { x: 4, y: y(lat) - 4 }, degrees(lat, "NS")));
  }
  const dots = points.map((point) =>
    drawn("circle", { cx: x(point.lon).toFixed(1), cy: y(point.lat).toFixed(1), r: 4 }, drawn("title", {}, `${point.name} (${point.lat}, ${point.lon})`)),
  );
  const told = `${points.length} points between ${degrees(south.toFixed(1), "NS")} ${degrees(west.toFixed(1), "EW")} and ${degrees(north.toFixed(1), "NS")} ${degrees(east.toFixed(1), "EW")}`;
  return drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": told, class: "map" }, grid, drawn("g", { class: "dots" }, ...dots));
}
