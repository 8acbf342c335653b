// One's own account: where one is signed in, and the password.
import { $, attempt, fill, made, moment, onClick, onSubmit, say } from "./dom.js";
import { call, end } from "./session.js";

const sessions = $("#sessions");
let found = [];

export function start() {
  onClick($(".top button", sessions), sessions, endAllOthers);
  const form = $("#password");
  onSubmit(form, async ({ currentPassword, newPassword }) => {
    const { message } = await call("POST", "/api/auth/password", { currentPassword, newPassword });
    form.reset();
    say(message);
    await load();
  });
}

export const load = () => attempt(sessions, reload);

export function show({ username, email, id, createdAt, roles }) {
  fill($("#inside"), { username, account: `${email} · account ${id}, since ${moment(createdAt)}` });
  $("#own-roles").replaceChildren(...roles.map((role) => {
    const chip = document.createElement("li");
    chip.className = "chip";
    chip.textContent = role.replace("ROLE_", "").toLowerCase();
    return chip;
  }));
  $("#password").elements.username.value = username;
}

async function reload() {
  found = await call("GET", "/api/auth/sessions");
  $(".rows", sessions).replaceChildren(...found.map(row));
  $(".top button", sessions).disabled = found.length < 2;
}

function row({ id, current, device, address, openedAt, lastUsedAt }) {
  const times = { openedAt: moment(openedAt), lastUsedAt: moment(lastUsedAt) };
  const shown = made("session", { device: named(device), current, address: address ?? "no address", ...times });
  onClick($("button", shown), shown, async () => {
    await call("DELETE", `/api/auth/sessions/${id}`);
    if (current) return end("You ended this session.");
    say("The session was ended.");
    await reload();
    $("#sessions-title").focus();
  });
  return shown;
}

async function endAllOthers() {
  for (const { id } of found.filter(({ current }) => !current)) await call("DELETE", `/api/auth/sessions/${id}`);
  say("All other sessions were ended.");
  await reload();
  $("#sessions-title").focus();
}

// In this order: each claims to be those after it. The admin's pages have the same names, accounts/admin/devices.py.
const BROWSERS = {
  Edg: "Edge", OPR: "Opera", SamsungBrowser: "Samsung Internet", Firefox: "Firefox", FxiOS: "Firefox", CriOS: "Chrome",
  Chrome: "Chrome", Version: "Safari",
};
const SYSTEMS = {
  iPhone: "iPhone", iPad: "iPad", Android: "Android", Windows: "Windows", "Mac OS X": "macOS", CrOS: "ChromeOS",
  Linux: "Linux",
};

// "Firefox 130 on Linux" for what a browser sends as User-Agent; what is no browser's is shown as it came.
function named(device) {
  const [browser, system] = [BROWSERS, SYSTEMS].map((marks) => Object.keys(marks).find((mark) => device.includes(mark)));
  const [, version] = device.match(new RegExp(`${browser}\\w*/(\\d+)`)) ?? [];
  return version && system ? `${BROWSERS[browser]} ${version} on ${SYSTEMS[system]}` : device || "Unknown device";
}
