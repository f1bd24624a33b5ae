import { render } from "preact";

import { Session } from "../../common/session";
import { Navigation } from "./board/navigation";
import { App } from "./ui/App";
import "./style.css";

render(<App session={new Session()} navigation={new Navigation()} />, document.getElementById("root")!);
