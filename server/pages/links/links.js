// The pages of links in mails: join, set a new password, confirm an address. It needs no build.
const REGISTER = `mutation Join($input: RegisterInput!) {
  register(input: $input) { user { username } userErrors { message } }
}`;
const SIGN_IN = `mutation JoinSignIn($input: LoginInput!) {
  login(input: $input) { accessToken userErrors { message } }
}`;
const ACCEPT = `mutation AcceptInvitation($input: AcceptInvitationInput!) {
  acceptInvitation(input: $input) { membership { id } userErrors { message } }
}`;
const REQUEST_RESET = `mutation RequestPasswordReset($input: RequestPasswordResetInput!) {
  requestPasswordReset(input: $input) { userErrors { message } }
}`;
const RESET = `mutation ResetPassword($input: ResetPasswordInput!) {
  resetPassword(input: $input) { userErrors { message } }
}`;
const VERIFY = `mutation VerifyEmail($input: VerifyEmailInput!) {
  verifyEmail(input: $input) { userErrors { message } }
}`;

const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
// The token must not stay in the address, the history and what is copied from them.
if (location.hash) history.replaceState(null, "", location.pathname);

/** Sends a mutation; returns its payload, or throws an error with a message for the user. */
async function send(query, input, accessToken) {
  const headers = { "content-type": "application/json", accept: "application/graphql-response+json" };
  if (accessToken) headers.authorization = `Bearer ${accessToken}`;
  const response = await fetch("/graphql", {
    method: "POST", headers, credentials: "same-origin", body: JSON.stringify({ query, variables: { input } }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(errors[0].message);
  const [payload] = Object.values(data);
  if (payload.userErrors.length) throw new Error(payload.userErrors.map((each) => each.message).join(" "));
  return payload;
}

const ACTIONS = {
  async join({ username, email, password }) {
    await send(REGISTER, { username, email, password, invitation: token });
    return `Welcome, ${username}. You can sign in now.`;
  },
  async accept({ username, password }) {
    const { accessToken } = await send(SIGN_IN, { username, password });
    await send(ACCEPT, { token }, accessToken);
    return "You are a member of the project now.";
  },
  async request({ email }) {
    await send(REQUEST_RESET, { email });
    return "If there is an account with this address, a mail with a link is on its way. The link is valid for an hour.";
  },
  async reset({ newPassword }) {
    await send(RESET, { token, newPassword });
    return "Your password is set, and all your sessions have ended. You can sign in now.";
  },
  async verify() {
    await send(VERIFY, { token });
    return "Your e-mail address is confirmed.";
  },
};

for (const part of document.querySelectorAll("[data-if]")) part.hidden = (part.dataset.if === "token") !== Boolean(token);

for (const form of document.querySelectorAll("form")) {
  const status = form.querySelector("[role=status]"), problem = form.querySelector("[role=alert]");
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    problem.textContent = status.textContent = "";
    try {
      status.textContent = await ACTIONS[form.dataset.action](Object.fromEntries(new FormData(form)));
      for (const field of form.querySelectorAll("label")) field.remove();
      button.remove();
    } catch (error) {
      problem.textContent = error instanceof TypeError ? "The server does not answer. Try again." : error.message;
      button.disabled = false;
    }
  });
}
