// Paints at most ten times a second, in an animation frame, whatever came meanwhile; nothing while the reader paused it.

const SHORTEST_PAUSE = 100;
const waiting = new Set();
let paintedAt = 0;
let scheduled = false;
let paused = false;

export function schedule(painter) {
  waiting.add(painter);
  request();
}

export function pause(on) {
  paused = on;
  request();
}

function request() {
  if (scheduled || paused || waiting.size === 0) return;
  scheduled = true;
  const wait = SHORTEST_PAUSE - (performance.now() - paintedAt);
  setTimeout(() => requestAnimationFrame(paint), Math.max(0, wait));
}

function paint() {
  scheduled = false;
  if (paused) return;
  paintedAt = performance.now();
  const painters = [...waiting];
  waiting.clear();
  for (const painter of painters) painter();
}
