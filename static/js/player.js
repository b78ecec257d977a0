// The player's keys: space or K, J and L, arrows for one frame. Works on the video that is in view or has focus.

const doc = document;
const current = () => {
  const inside = doc.activeElement?.closest?.("[data-player], [data-review-card]")?.querySelector("video");
  if (inside) return inside;
  const playing = [...doc.querySelectorAll("[data-player] video")].find((video) => !video.paused);
  return playing || doc.querySelector("[data-player].is-current video") || doc.querySelector("[data-player] video");
};
const fps = (video) => Number(video.closest("[data-player]").dataset.fps) || 30;

export function step(video, frames) {
  video.pause();
  const rate = fps(video);
  const frame = Math.round(video.currentTime * rate) + frames; // count in frames: no drift
  video.currentTime = Math.min(video.duration || 0, Math.max(0, (frame + 0.01) / rate));
}
export function seek(video, seconds) {
  video.pause();
  video.currentTime = seconds;
  video.focus({ preventScroll: true });
}
// a pause before the first frame rejects the promise of play(): that is the user's wish, not a fault
const play = (video) => video.play().catch((error) => { if (error.name !== "AbortError") throw error; });
const toggle = (video) => (video.paused ? play(video) : video.pause());
const KEYS = {
  " ": toggle, k: toggle,
  j: (video) => { video.currentTime = Math.max(0, video.currentTime - 2); },
  l: (video) => { if (video.paused) play(video); else video.currentTime += 2; },
  ArrowLeft: (video) => step(video, -1),
  ArrowRight: (video) => step(video, 1),
};
doc.addEventListener("keydown", (event) => {
  const act = KEYS[event.key] || KEYS[event.key.toLowerCase()];
  const el = event.target;
  if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
  if (el.matches("input, textarea, select") || (event.key === " " && el.matches("button, a, summary"))) return;
  const video = current();
  if (!video) return;
  event.preventDefault();
  act(video);
}, true);

doc.addEventListener("click", (event) => {
  const el = event.target.closest("[data-seek], [data-step], [data-toggle]");
  if (!el) return;
  const video = doc.getElementById(el.dataset.video);
  if (!video) return;
  if (el.dataset.seek !== undefined) seek(video, Number(el.dataset.seek));
  if (el.dataset.step) step(video, Number(el.dataset.step));
  if (el.dataset.toggle !== undefined) toggle(video);
  event.preventDefault();
});
doc.addEventListener("play", (event) => {
  doc.querySelectorAll("[data-player]").forEach((player) => {
    const video = player.querySelector("video");
    player.classList.toggle("is-current", video === event.target);
    if (video && video !== event.target) video.pause(); // one voice at a time
  });
}, true);

// Frame and time under each player that asks for it.
const show = (video) => {
  const out = doc.getElementById(`time-${video.id}`);
  if (!out) return;
  const rate = fps(video);
  const frame = Math.floor(video.currentTime * rate + 0.5);
  out.textContent = `${video.currentTime.toFixed(2)} s · frame ${frame}`;
};
for (const name of ["timeupdate", "seeked", "loadedmetadata"]) doc.addEventListener(name, (event) => event.target.matches?.("video") && show(event.target), true);
