import { useEffect, useState } from "preact/hooks";

import type { Session } from "@taskriver/client";
import { change } from "../api/api";
import { CreateSignInCodeDocument } from "../api/gql/graphql";
import { answerTo, requestOf, shownCode } from "./cli_request";
import { Panel } from "./Panel";

interface Props {
  readonly session: Session;
  readonly username: string;
  /** The query of the page's address. */
  readonly search: string;
}

/** In this time after the page is shown, a click may have been meant for another page. */
const SETTLING = 1_000;

/** Asks whether a program on this machine may sign in as the viewer. Nothing is sent before the viewer confirms. */
export function CliPage({ session, username, search }: Props) {
  const request = requestOf(search);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const isSettled = useSettled();
  if (!request) {
    return (
      <Panel title="This link is not complete">
        <p>Start the sign-in again with <code>taskriver login</code>, and open the whole link that it prints.</p>
      </Panel>
    );
  }
  const confirm = async () => {
    if (busy || !isSettled) return;
    setBusy(true);
    setProblem("");
    const input = { codeChallenge: request.challenge, port: request.port, clientName: request.client };
    const { result, problem: refused } = await change(session, CreateSignInCodeDocument, input);
    setBusy(false);
    if (result?.code) location.replace(answerTo(request, { code: result.code }));
    else setProblem(refused?.text ?? "The server sent no code. Try again.");
  };
  return (
    <Panel title="Sign in on the command line?">
      <p>A program on this machine asks to act as <b>{username}</b>, with all your rights.</p>
      <dl class="facts">
        <div><dt>It calls itself</dt><dd>{request.client}</dd></div>
        <div><dt>Code</dt><dd><code>{shownCode(request)}</code></dd></div>
        <div><dt>It waits at</dt><dd>127.0.0.1:{request.port}</dd></div>
      </dl>
      <p class="note">
        Continue only if you have just run <code>taskriver login</code>, and if your terminal shows the same code. Nobody else should
        send you to this page.
      </p>
      <p class="problem" role="alert">{problem}</p>
      <div class="actions">
        <button onClick={() => location.replace(answerTo(request, { error: "access_denied" }))}>Cancel</button>
        <button class="primary" aria-disabled={busy || !isSettled} onClick={() => void confirm()}>{busy ? "Signing in …" : "Sign in"}</button>
      </div>
    </Panel>
  );
}

/** Whether the page has been visible, with the focus, for a while. */
function useSettled(): boolean {
  const [isSettled, setSettled] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const start = () => {
      clearTimeout(timer);
      setSettled(false);
      timer = setTimeout(() => setSettled(true), SETTLING);
    };
    start();
    addEventListener("focus", start);
    document.addEventListener("visibilitychange", start);
    return () => {
      clearTimeout(timer);
      removeEventListener("focus", start);
      document.removeEventListener("visibilitychange", start);
    };
  }, []);
  return isSettled;
}
