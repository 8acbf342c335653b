// The page: what is shown when, and what its buttons do. What is asked of the API is in api.js.

import * as api from "./api.js";

const byId = (id) => document.getElementById(id);
// The cookies are the browser's, so what one tab does to them concerns all.
const otherTabs = new BroadcastChannel("session");
otherTabs.onmessage = start;

async function start() {
  await api.me().then(home).catch(explain);
}

async function home() {
  draw(await api.look());
  show("home");
}

function show(view, message = "") {
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== view;
  say(message);
}

function say(message) {
  byId("message").textContent = message;
}

// Whatever goes wrong ends here.
function explain(error) {
  if (error instanceof api.SignedOut) show("sign-in", error.message);
  else say(error.message);
}

// --- drawing: texts go in as texts, never as HTML

function draw({ account, sessions, boards }) {
  byId("who").textContent = account.username;
  byId("boards").replaceChildren(...boards.map((board) => boardItem(board, account.roles)));
  byId("sessions").replaceChildren(...sessions.map(sessionItem));
}

// The tag is what the page makes of the roles; the text is what the server says.
function boardItem({ title, role, text, opened }, roles) {
  const item = copy("board", { title, text, tag: role ? tagOf(roles.includes(role)) : "for everybody" });
  item.classList.toggle("refused", !opened);
  return item;
}

const tagOf = (held) => (held ? "your role" : "not your role");

function sessionItem({ id, current, device, address, lastUsedAt }) {
  const item = copy("session", { device, used: `${address}, last used ${new Date(lastUsedAt).toLocaleString()}` });
  item.querySelector(".tag").hidden = !current;
  item.querySelector("button").hidden = current;
  item.querySelector("button").onclick = () => api.endSession(id).then(home).catch(explain);
  return item;
}

// What is in the template of that id, each text in the element of its class.
function copy(template, texts) {
  const item = byId(template).content.firstElementChild.cloneNode(true);
  for (const [name, text] of Object.entries(texts)) item.querySelector(`.${name}`).textContent = text;
  return item;
}

// --- forms and buttons

function onSubmit(form, act) {
  form.onsubmit = async (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form));
    form.firstElementChild.disabled = true;
    await act(fields).then(() => form.reset(), heedful);
    form.firstElementChild.disabled = false;
  };
}

// Says why not; over when the server wants to be asked again.
async function heedful(error) {
  explain(error);
  await api.seconds(error.retryAfter ?? 0);
}

async function signIn({ username, password }) {
  await api.signIn({ username, password });
  otherTabs.postMessage("signed in");
  await home();
}

onSubmit(byId("sign-in").querySelector("form"), signIn);
onSubmit(byId("sign-up").querySelector("form"), async (account) => {
  await api.signUp(account);
  await signIn(account);
});

byId("to-sign-up").onclick = () => show("sign-up");
byId("to-sign-in").onclick = () => show("sign-in");
byId("again").onclick = () => home().catch(explain);
byId("sign-out").onclick = async () => {
  const { message } = await api.signOut().catch((error) => error);
  otherTabs.postMessage("signed out");
  await start();
  say(message);
};

start();
