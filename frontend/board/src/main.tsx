import { render } from "preact";

import { Session } from "../../common/session";
import { App } from "./ui/App";
import "./style.css";

render(<App session={new Session()} />, document.getElementById("root")!);
