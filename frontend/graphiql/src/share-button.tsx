import { ToolbarButton, useGraphiQL } from "@graphiql/react";
import { linkTo } from "./link";

/** Copies a link that opens this page with the operation and the variables of the open tab, and puts it into the address. */
export function ShareButton({ onNotice }: { onNotice: (notice: string) => void }) {
  const { queryEditor, variableEditor, operationName } = useGraphiQL(
    ({ queryEditor, variableEditor, operationName }) => ({ queryEditor, variableEditor, operationName }),
  );
  const share = async () => {
    const query = queryEditor?.getValue() ?? "";
    const link = linkTo({ query, variables: variableEditor?.getValue() ?? "", operationName }, location.href);
    if (link === null) return onNotice("This operation is too long for a link.");
    history.replaceState(null, "", link);
    onNotice((await copied(link)) ? "The link is copied." : "Copy the link from the address bar.");
  };
  return (
    <ToolbarButton label="Share: copy a link to this operation" onClick={() => void share()}>
      <svg className="graphiql-toolbar-icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" aria-hidden="true">
        <path d="M12 15V4M8 7.5 12 3.5l4 4M6 11H5v9h14v-9h-1" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" />
      </svg>
    </ToolbarButton>
  );
}

/** Whether the clipboard took the text; browsers have none for pages on plain HTTP outside localhost. */
async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
