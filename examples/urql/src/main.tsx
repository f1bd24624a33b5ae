import { Provider } from "urql";

import { start } from "../../common/start";
import { client } from "./api";
import { Tasks } from "./Tasks";

start("Tasks with urql", () => <Provider value={client}><Tasks /></Provider>);
