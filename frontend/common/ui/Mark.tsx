export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
      <path d="M3 7c4.5 0 4.5 4 9 4s4.5-4 9-4M3 13c4.5 0 4.5 4 9 4s4.5-4 9-4" />
    </svg>
  );
}
