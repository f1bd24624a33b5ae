import { Component, createElement, type ComponentType, type FunctionComponent } from "preact";

/** The component, drawn anew only when one of its properties is another value. */
export function memo<Props extends object>(draw: FunctionComponent<Props>): ComponentType<Props> {
  return class extends Component<Props> {
    override shouldComponentUpdate(next: Props): boolean {
      return (Object.keys(next) as (keyof Props)[]).some((name) => next[name] !== this.props[name]);
    }

    render() {
      return createElement(draw, this.props);
    }
  };
}
