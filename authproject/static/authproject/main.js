// The page at /: shows the door to who is outside, and what there is inside to who is signed in.
import * as account from "./account.js";
import * as boards from "./boards.js";
import * as clock from "./clock.js";
import { $, attempt, fill, onSubmit, say } from "./dom.js";
import * as people from "./people.js";
import * as roles from "./roles.js";
import { call, end, events, resume, session, signIn, signOut, signUp } from "./session.js";

const signInForm = $("#sign-in");
const signUpForm = $("#sign-up");
let me = null;

onSubmit(signInForm, async (fields) => {
  await signIn(fields);
  signInForm.reset();
  signUpForm.reset();
  await enter();
  $("#who").focus();
});

onSubmit(signUpForm, async (fields) => {
  const { message } = await signUp(fields);
  say(message);
  // Whoever has signed up wants to be in; what may go wrong on the way is shown there.
  signInForm.elements.username.value = fields.username;
  signInForm.elements.password.value = fields.password;
  signInForm.requestSubmit();
});

onSubmit($("#sign-out"), async (fields, button) => {
  const message = await signOut(button?.name === "everywhere");
  leave();
  say(message);
});

events.addEventListener("ended", ({ detail }) => {
  leave();
  $(".refusal", signInForm).textContent = detail;
});

events.addEventListener("renewed", () => attempt($("#sign-out"), async () => {
  const before = me?.id;
  await look();
  if (me?.id !== before) await enter();
}));

// Who I am, and what depends on it.
async function look() {
  me = session.isOpen ? await call("GET", "/api/auth/me") : null;
  const manages = Boolean(me?.roles.includes("ROLE_ADMIN"));
  show({ door: !me, inside: me, account: me, boards: true, management: manages });
  if (me) account.show(me);
  return manages;
}

function show(parts) {
  for (const [id, isShown] of Object.entries(parts)) $(`#${id}`).hidden = !isShown;
}

async function enter() {
  const manages = await look();
  clock.show();
  await Promise.all([boards.all(), account.load(), ...(manages ? [roles.load(), people.load()] : [])]);
}

function leave() {
  me = null;
  // Nothing of the one who was here is left for the next one.
  for (const list of document.querySelectorAll("#own-roles, .rows")) list.replaceChildren();
  for (const form of document.forms) form.reset();
  fill($("#inside"), { username: "", account: "" });
  session.automatic = $("#automatic").checked;
  show({ door: true, inside: false, account: false, management: false });
  $("#sign-in-title").focus();
  boards.all();
}

async function begin() {
  if (await resume()) return enter();
  show({ door: true, boards: true });
  await boards.all();
}

async function askAll() {
  const managed = !$("#management").hidden;
  const manages = await look().catch(() => managed);
  if (manages && !managed) await Promise.all([roles.load(), people.load()]);
  // What had the focus is gone with the rest of what was managed.
  if (me && managed && !manages) $("#who").focus();
  say(`${await boards.all()} of 4 boards are open.`);
}

async function someoneChanged(id) {
  await Promise.all([roles.load(), id === me?.id && askAll()]);
}

clock.start();
boards.start(askAll);
account.start();
people.start(someoneChanged);
roles.start();
begin().catch(({ message }) => end(message));
