import { render } from "preact";

import { Session } from "../../shared/session";
import { App } from "./ui/App";
import "./style.css";

render(<App session={new Session()} />, document.getElementById("root")!);
