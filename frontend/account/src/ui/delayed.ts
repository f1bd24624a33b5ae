import { useEffect, useState } from "preact/hooks";

const PAUSE = 250;

/** The value when it has not changed for a moment, so that typing does not send a request for each letter. */
export function useDelayed<Value>(value: Value): Value {
  const [shown, setShown] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setShown(value), PAUSE);
    return () => clearTimeout(timer);
  }, [value]);
  return shown;
}
