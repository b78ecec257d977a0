// The live page. Events arrive over a socket (or by polling when sockets are blocked) with gapless numbers;
// each number is taken once, a gap is fetched, and the painted state is always the server's: events say when to
// ask for it again. Between two answers the bars of running work grow by the clock.

const page = document.getElementById("job-page");
const live = () => document.getElementById("live");
const conn = document.getElementById("conn");
let seq = Number(live().dataset.seq);
let clockSkew = Number(live().dataset.now) - Date.now();
const firstEta = Number(live().dataset.eta) || 0;

// --- taking events
let fetching = null;
function take(event) {
  if (!Number.isInteger(event.seq) || event.seq <= seq) return;
  if (event.seq > seq + 1) return void catchUp();
  seq = event.seq;
  refreshSoon();
}
function catchUp() {
  fetching ??= poll().finally(() => { fetching = null; });
  return fetching;
}
async function poll() {
  const answer = await fetch(`${page.dataset.events}?after=${seq}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`events: ${answer.status}`);
  const { events, last_seq: last } = await answer.json();
  for (const event of events) if (event.seq === seq + 1) seq = event.seq;
  if (events.length) refreshSoon();
  if (seq < last && events.length) await poll();
}

// --- painting: at most three times a second, and once more after the last event
const SHORTEST = 350;
let painted = 0, timer = 0, painting = false, again = false;
function refreshSoon() {
  if (painting) { again = true; return; }
  if (!timer) timer = setTimeout(refresh, Math.max(60, painted + SHORTEST - Date.now()));
}
async function refresh() {
  timer = 0; painting = true; again = false;
  try {
    const answer = await fetch(page.dataset.live, { headers: { "HX-Request": "true" } });
    if (answer.redirected || !answer.ok) throw new Error(`live: ${answer.status}`);
    const was = live().dataset.running;
    morph(live(), await answer.text());
    clockSkew = Number(live().dataset.now) - Date.now();
    say();
    const inspector = document.getElementById("inspector");
    if (inspector.dataset.url) await renew(inspector);
    else await showFirstResult();
    if (was && !live().dataset.running) await renewActions();
  } catch (error) {
    console.info("will try again:", error.message);
    setTimeout(refreshSoon, 2000);
  }
  painting = false; painted = Date.now();
  tick();
  if (again) refreshSoon();
}
async function renew(inspector) {
  const url = inspector.dataset.url;
  const answer = await fetch(url, { headers: { "HX-Request": "true" } });
  if (answer.ok && document.getElementById("inspector").dataset.url === url) morph(document.getElementById("inspector"), await answer.text());
}
// Nothing chosen yet: show the first thing that can be played, the finished ad before its clips. Who chooses is faster.
let asked = false;
document.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.target?.id === "inspector") asked = true; });
async function showFirstResult() {
  const ready = [...live().querySelectorAll(".g-row[data-row]")].filter((el) => el.querySelector(".chip[data-state='ready']"));
  const row = ready.find((el) => el.id.startsWith("master-")) || ready[0];
  if (!row || asked) return;
  const answer = await fetch(row.querySelector("a").href, { headers: { "HX-Request": "true" } });
  if (answer.ok && !asked) morph(document.getElementById("inspector"), await answer.text());
}
async function renewActions() {
  const answer = await fetch(page.dataset.page);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("job-actions");
  const actions = document.getElementById("job-actions");
  actions.replaceWith(fresh);
  window.htmx.process(fresh);
}
function morph(el, html) {
  const id = el.id;
  window.Idiomorph.morph(el, html.trim(), { morphStyle: "outerHTML" });
  window.htmx.process(document.getElementById(id));
  markChosen();
}
function markChosen() {
  const chosen = document.getElementById("inspector").dataset.rowId;
  document.querySelectorAll(".g-row[data-row]").forEach((row) => row.classList.toggle("is-chosen", row.dataset.row === chosen));
}
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "inspector" && event.detail.target?.id !== "inspector") return;
  markChosen();
  const inspector = document.getElementById("inspector");
  if (matchMedia("(max-width: 75rem)").matches) inspector.scrollIntoView({ block: "start", behavior: "smooth" });
  inspector.focus({ preventScroll: true });
});
document.addEventListener("job-poke", async () => { await renewActions(); refreshSoon(); });

// --- one polite sentence for screen readers when the state of the whole job changes
let lastWord = "";
function say() {
  const word = live().querySelector(".chip span").textContent;
  if (lastWord && word !== lastWord) conn.setAttribute("aria-label", `The job is now: ${word}`);
  lastWord = word;
}

// --- the socket, with back-off; polling fills in while it is away
const SHUT = { 4401: "Signed out: sign in again", 4403: "You may no longer watch this job", 4404: "This job is gone" };
let failures = 0, pollTimer = 0;
function connect() {
  const url = new URL(page.dataset.socket, location);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.searchParams.set("after", seq);
  const socket = new WebSocket(url);
  let settled = 0; // a socket counts as good when it says something or stays open for a while
  const good = () => { clearTimeout(settled); failures = 0; clearInterval(pollTimer); pollTimer = 0; show("live", "Live"); };
  socket.onopen = () => { settled = setTimeout(good, 1500); };
  socket.onmessage = (message) => { good(); take(JSON.parse(message.data)); };
  socket.onclose = ({ code }) => {
    clearTimeout(settled);
    if (SHUT[code]) return show("lost", SHUT[code]);
    failures += 1;
    if (failures >= 2) startPolling(); else show("lost", "Reconnecting");
    setTimeout(connect, Math.min(30000, 400 * 2 ** failures) * (0.7 + 0.6 * Math.random()));
  };
}
function startPolling() {
  if (pollTimer) return;
  pollTimer = setInterval(() => catchUp().then(() => show("polling", "Updating every 2 seconds"), () => show("lost", "No connection, trying again")), 2000);
}
function show(state, words) { conn.dataset.conn = state; conn.textContent = words; }

// --- the clock between two answers
function tick() {
  const root = live();
  const start = Number(root.dataset.start), now = Date.now() + clockSkew;
  const running = Boolean(root.dataset.running);
  const end = Math.max(Number(root.dataset.end), running ? start + (now - start) * 1.03 : 0);
  const x = (ms) => `${Math.min(100, Math.max(0, (100 * (ms - start)) / (end - start))).toFixed(3)}%`;
  if (running) {
    root.querySelectorAll("rect.bar").forEach((bar) => {
      const from = Number(bar.dataset.from), to = Number(bar.dataset.to) || now;
      bar.setAttribute("x", x(from));
      bar.setAttribute("width", `${Math.max(0.4, (100 * (to - from)) / (end - start)).toFixed(3)}%`);
    });
    root.querySelectorAll("line.now").forEach((line) => { line.setAttribute("x1", x(now)); line.setAttribute("x2", x(now)); });
  }
  const elapsed = root.querySelector("[data-elapsed]");
  const until = elapsed.dataset.until ? Number(elapsed.dataset.until) * 1000 : now;
  elapsed.textContent = words((until - Number(elapsed.dataset.elapsed) * 1000) / 1000);
  const eta = Number(root.dataset.eta), change = root.querySelector("#eta-change");
  if (change && eta && firstEta) {
    const late = Math.round(eta - firstEta);
    change.textContent = Math.abs(late) < 5 ? "" : `(${words(Math.abs(late))} ${late > 0 ? "later" : "earlier"} than first thought)`;
  }
}
function words(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  return s < 3600 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

window.addEventListener("load", () => { connect(); tick(); say(); markChosen(); if (!document.getElementById("inspector").dataset.url) showFirstResult(); setInterval(tick, 250); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) catchUp().catch(() => {}); });
