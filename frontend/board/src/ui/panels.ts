/** The dialogs of a board that are not in its address. */
export type Panel = "SHORTCUTS" | "MEMBERS" | "TRASH" | "PROJECT" | "LABELS" | "SETTINGS";
