import type { ComponentChildren } from 'preact';

/** Where the panel is a sheet over the canvas, and begins closed. As in panel.css. */
export const NARROW = '(max-width: 900px)';

interface PanelProps {
  label: string;
  onClose: () => void;
  children: ComponentChildren;
}

/** The right panel of a viewer; a bottom sheet on narrow screens. */
export function Panel({ label, onClose, children }: PanelProps) {
  return (
    <aside class="panel" aria-label={label}>
      <button type="button" class="button quiet panel-close" aria-label={`Close ${label}`} onClick={onClose}>
        ✕
      </button>
      {children}
    </aside>
  );
}

/** Stands where a closed panel was and opens it again. */
export function PanelOpener({ label, onOpen }: { label: string; onOpen: () => void }) {
  return (
    <button type="button" class="button panel-open" onClick={onOpen}>
      ‹ {label}
    </button>
  );
}
