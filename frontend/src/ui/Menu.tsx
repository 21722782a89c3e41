// A button and what can be done with it. The browser's own popover: over everything, closed by Escape or a click beside.

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

const GAP = 4; // CSS pixels between button and menu
const LOW = 0.6; // of the window's height: below it a menu opens upwards

interface MenuProps {
  /** For those who do not see the button. */
  label: string;
  text: ComponentChildren;
  children: ComponentChildren;
}

export function Menu({ label, text, children }: MenuProps) {
  const id = `menu${useId()}`;
  const button = useRef<HTMLButtonElement>(null);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const menu = box.current!;
    const close = () => menu.hidePopover();
    const turned = (event: ToggleEvent) => {
      removeEventListener('scroll', close, true);
      if (event.newState !== 'open') return;
      place(menu, button.current!.getBoundingClientRect());
      addEventListener('scroll', close, { capture: true, once: true });
    };
    menu.addEventListener('beforetoggle', turned);
    return () => removeEventListener('scroll', close, true);
  }, []);
  return (
    <>
      <button ref={button} type="button" class="button quiet" aria-label={label} popoverTarget={id}>
        {text}
      </button>
      <div ref={box} id={id} class="popover-menu" popover="auto">
        {children}
      </div>
    </>
  );
}

function place(menu: HTMLElement, button: DOMRect): void {
  const isLow = button.top > innerHeight * LOW;
  menu.style.right = `${Math.max(GAP, document.documentElement.clientWidth - button.right)}px`;
  menu.style.top = isLow ? 'auto' : `${button.bottom + GAP}px`;
  menu.style.bottom = isLow ? `${innerHeight - button.top + GAP}px` : 'auto';
}

interface ItemProps {
  onPick: () => void;
  /** The menu stays open: the next word is said in it. */
  isOpenAfter?: boolean;
  isGrave?: boolean;
  children: ComponentChildren;
}

export function MenuItem({ onPick, isOpenAfter = false, isGrave = false, children }: ItemProps) {
  return (
    <button
      type="button"
      class={isGrave ? 'menu-item error' : 'menu-item'}
      onClick={(event) => {
        if (!isOpenAfter) event.currentTarget.closest<HTMLElement>('[popover]')?.hidePopover?.();
        onPick();
      }}
    >
      {children}
    </button>
  );
}
