import { render } from "preact";

import { createSession } from "@taskriver/client";
import { Navigation } from "./board/navigation";
import { App } from "./ui/App";
import "../../common/base.css";
import "./style.css";

render(<App session={createSession({ url: "/graphql" })} navigation={new Navigation()} />, document.getElementById("root")!);
