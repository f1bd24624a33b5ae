// Runs oidc-provider with one client; every username can sign in. It prints a line when it is ready.
// Arguments: the port, the redirect URI, the post-logout redirect URI, and the URI for back-channel logout.
import { Provider } from "oidc-provider";

const [port, redirectUri, logoutUri, backchannelUri] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: "taskriver",
    client_secret: "secret-of-the-client",
    redirect_uris: [redirectUri],
    post_logout_redirect_uris: [logoutUri],
    backchannel_logout_uri: backchannelUri,
    backchannel_logout_session_required: true,
  }],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["preferred_username", "groups"] },
  features: { backchannelLogout: { enabled: true } },
  pkce: { required: () => true },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id, email: `${id}@example.org`, email_verified: true, preferred_username: id, groups: ["engineers"],
    }),
  }),
  cookies: { keys: ["only for tests"] },
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
