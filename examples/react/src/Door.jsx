// Signing in, and signing up.
import { useState } from "react";
import { signIn, signUp } from "./api.js";
import { messageOf, retryAfter, seconds } from "./http.js";
import { parting } from "./tokens.js";

export default function Door() {
  const [isNew, setIsNew] = useState(false);
  const [message, setMessage] = useState(parting);

  function goTo(form) {
    setIsNew(form === "sign up");
    setMessage("");
  }

  return (
    <>
      <p role="status">{message}</p>
      <section>
        <h1>{isNew ? "Create an account" : "Sign in"}</h1>
        <Form key={isNew} act={isNew ? signUp : signIn} say={setMessage}>
          <label>Username <input name="username" autoComplete="username" autoCapitalize="none" required /></label>
          {isNew && <label>Email <input name="email" type="email" autoComplete="email" required /></label>}
          <Password isNew={isNew} />
          <button>{isNew ? "Sign up" : "Sign in"}</button>
        </Form>
        {isNew ? (
          <button className="quiet" onClick={() => goTo("sign in")}>I have an account</button>
        ) : (
          <button className="quiet" onClick={() => goTo("sign up")}>Create an account</button>
        )}
      </section>
    </>
  );
}

function Password({ isNew }) {
  const remembered = isNew ? "new-password" : "current-password";
  return <label>Password <input name="password" type="password" autoComplete={remembered} required /></label>;
}

// Calls `act` with the fields, says why not, and takes no more until the server wants to be asked again.
function Form({ act, say, children }) {
  const [busy, setBusy] = useState(false);

  async function onSubmit(event) {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.target));
    setBusy(true);
    try {
      await act(fields);
    } catch (error) {
      say(messageOf(error));
      await seconds(retryAfter(error.response));
    }
    setBusy(false);
  }

  return (
    <form onSubmit={onSubmit}>
      <fieldset disabled={busy}>{children}</fieldset>
    </form>
  );
}
