// The card of the access token: how long it is good, and its refresh.
import { $, attempt, onSubmit, say } from "./dom.js";
import { LIFETIME, events, refresh, secondsLeft, session } from "./session.js";

const card = $("#token");
const form = $("form", card);
const MARGIN = Math.min(30, LIFETIME / 4); // how long before its end a token is refreshed, in seconds
const PAUSE = 5; // seconds until it is tried again after a failure that says nothing of when
const TOLD = [300, 60, 10]; // at how many seconds it is said aloud: each second would be noise
let notBefore = 0;
let last = 0;

export function start() {
  $("#automatic").addEventListener("change", ({ target }) => { session.automatic = target.checked; });
  onSubmit(form, async () => {
    await refresh();
    say("The access token was refreshed.");
  });
  events.addEventListener("refreshed", show);
  setInterval(tick, 250);
}

function tick() {
  if (!session.isOpen) return;
  show();
  if (session.automatic && secondsLeft() <= MARGIN && Date.now() >= notBefore) attempt(form, refreshOrPause);
}

async function refreshOrPause() {
  try {
    await refresh();
  } catch (error) {
    notBefore = Date.now() + (error.wait || PAUSE) * 1000;
    throw error;
  }
}

export function show() {
  const left = Math.ceil(secondsLeft());
  if (left === last) return;
  $(".countdown", card).textContent = left ? written(left) : "ended";
  $("progress", card).value = left;
  card.classList.toggle("soon", left <= MARGIN);
  if (!session.automatic) tell(left);
  last = left;
}

function tell(left) {
  if (!left) say("The access token has ended.");
  else if (TOLD.some((mark) => left <= mark && mark < last)) say(`The access token ends in ${left} seconds.`);
}

function written(seconds) {
  const two = (number) => String(Math.floor(number) % 60).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  return `${hours ? `${hours}:` : ""}${two(seconds / 60)}:${two(seconds)}`;
}
