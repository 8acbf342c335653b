// Who is signed in, and the tokens that say so. Events: "refreshed", "renewed" when another tab has got new cookies,
// and "ended" when the server will not go on.
import { Refused, send } from "./api.js";

const cookies = document.body.dataset.tokens === "cookies";
export const LIFETIME = Number(document.body.dataset.lifetime); // of an access token, in seconds
export const events = new EventTarget();

// `automatic`: whether tokens are refreshed without being asked to.
export const session = { isOpen: false, automatic: true };

// Where the server hands tokens to scripts, they are kept here, in memory, and not in localStorage, out of which every
// script that ever runs on this origin could read them. So a reload signs out, unless the server uses cookies.
let tokens = {};

// Until when the access token is good, in milliseconds as Date.now() counts. No script sees a token that is in a
// cookie, so it is counted from when the answer came. A moment is no secret: localStorage has it for after a reload.
let ends = 0;
const ENDS = "access-token-ends";
export const secondsLeft = () => Math.max(ends - Date.now(), 0) / 1000;

// Another tab shares the cookies, and may have refreshed, signed out, or signed somebody else in.
addEventListener("storage", ({ key, newValue }) => {
  if (!cookies || key !== ENDS || !session.isOpen) return;
  if (!newValue) return end("You were signed out in another tab.");
  ends = Number(newValue);
  events.dispatchEvent(new Event("renewed"));
});

function accept({ accessToken, refreshToken }) {
  ends = Date.now() + LIFETIME * 1000;
  if (cookies) localStorage.setItem(ENDS, ends);
  else tokens = { access: accessToken, refresh: refreshToken };
  session.isOpen = true;
}

function forget() {
  tokens = {};
  ends = 0;
  // Where a browser lets no page keep anything, asking to is an error.
  if (cookies) localStorage.removeItem(ENDS);
  session.isOpen = false;
}

// As `send`; when the access token turns out to have ended it is refreshed, if that may be done without being asked.
export async function ask(method, path, body) {
  const once = () => send(method, path, { body, cookies, token: tokens.access });
  const before = ends;
  const answer = await once();
  if (answer.status !== 401 || !session.isOpen || !session.automatic) return answer;
  // Others may have brought a new token while this answer was on its way.
  if (ends === before || !secondsLeft()) await refresh();
  return once();
}

// What the API answers. Throws Refused.
export async function call(method, path, body) {
  const answer = await ask(method, path, body);
  if (!answer.ok) throw new Refused(answer);
  return answer.data;
}

export const signUp = (account) => call("POST", "/api/auth/signup", account);

export async function signIn(account) {
  accept(await call("POST", "/api/auth/signin", account));
}

export async function signOut(everywhere) {
  // Only a token that is still good may sign out everywhere.
  if (everywhere && !secondsLeft()) await refresh();
  const said = await call("POST", "/api/auth/signout", { everywhere, refreshToken: tokens.refresh });
  forget();
  return said.message;
}

let underWay = null;

// One at a time, whoever asks: the others wait for the same answer. Throws Refused.
export function refresh() {
  underWay ??= renew().finally(() => { underWay = null; });
  return underWay;
}

async function renew() {
  const answer = await send("POST", "/api/auth/refreshtoken", { body: { refreshToken: tokens.refresh }, cookies });
  if (answer.ok) {
    // The successor takes the old refresh token's place: a copy of the old one is then noticed.
    accept(answer.data);
    return events.dispatchEvent(new Event("refreshed"));
  }
  const refused = new Refused(answer);
  if (answer.status === 403) end(refused.message);
  throw refused;
}

export function end(message) {
  forget();
  events.dispatchEvent(new CustomEvent("ended", { detail: message }));
}

// After a reload: whether the cookies still open a session.
export async function resume() {
  if (!cookies) return false;
  ends = Number(localStorage.getItem(ENDS));
  const { ok, status } = await send("GET", "/api/auth/me", { cookies });
  if (status === 401 || (ok && !ends)) await refresh().catch(() => {});
  else session.isOpen = ok;
  return session.isOpen;
}
