// The page at /docs: Swagger UI, which takes over the token of a sign-in, and the colours that the reader prefers.

const SIGNS_IN = ["/api/auth/signin", "/api/auth/refreshtoken"];
const SIGNS_OUT = ["/api/auth/signout", "/api/auth/me/delete"];

/** After a sign-in or a refresh its access token is sent along, and after a sign-out none; in this page's memory alone. */
function takeOver(response) {
  const path = new URL(response.url).pathname;
  if (response.ok && SIGNS_IN.includes(path) && response.obj?.accessToken) {
    ui.preauthorizeApiKey("bearer", response.obj.accessToken);
    say(`Requests now carry the access token of ${path}.`);
  }
  if (response.ok && SIGNS_OUT.includes(path) && ui.getState().getIn(["auth", "authorized", "bearer"])) {
    ui.authActions.logout(["bearer"]);
    say("Requests carry no token any more.");
  }
  return response;
}

function say(words) {
  document.getElementById("signed-in").textContent = words;
}

/** Swagger UI's own dark colours hang on a class. */
function followColours(dark) {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

/** Swagger UI takes whatever stands after # for an address of its own, and the focus would stay where it is. */
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("swagger").focus();
});

const dark = matchMedia("(prefers-color-scheme: dark)");
dark.addEventListener("change", followColours);
followColours(dark);

const ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  // It would send the description to another server.
  validatorUrl: null,
  responseInterceptor: takeOver,
});
