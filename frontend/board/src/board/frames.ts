/** Calls *work* once with the next frame, however often it is asked to; in a window that shows none, soon. */
export function onceAFrame(work: () => void): () => void {
  let waiting = false;
  const run = () => {
    if (!waiting) return;
    waiting = false;
    work();
  };
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(run);
    setTimeout(run, 100);
  };
}
