import type { ReadonlySignal } from '@preact/signals';
import type { LinkStatus } from '../transport/connection';

/** Says when what is seen no longer follows the server. Where websockets are blocked pages poll, and nothing is said. */
export function ConnectionBanner({ status }: { status: ReadonlySignal<LinkStatus> }) {
  if (status.value === 'lost') {
    return (
      <div class="banner" role="status">
        Connection lost. What you see stays, and goes on by itself when the server answers.
      </div>
    );
  }
  if (status.value === 'signed-out') {
    return (
      <div class="banner error" role="alert">
        You are logged out.
        <a href={`/login/?next=${encodeURIComponent(location.pathname)}`}>Log in</a>
      </div>
    );
  }
  return null;
}
