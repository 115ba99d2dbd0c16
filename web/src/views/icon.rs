//! Line icons on a 16 by 16 grid, in the colour of the text around them.

use yew::prelude::*;

fn path(name: &str) -> &'static str {
    match name {
        "run" => "M4.5 2.8v10.4l8.5-5.2z",
        "pause" => "M5 3v10M11 3v10",
        "step" => "M3.5 3v10l6.5-5zM12.5 3v10",
        "step-decision" => "M2 3v10l5-5zM7.5 3v10l5-5zM14 3v10",
        "power" => "M8 2v5.5M4.6 4.4a5 5 0 1 0 6.8 0",
        "more" => "M3.5 8h.01M8 8h.01M12.5 8h.01",
        "cloud" => "M4.8 12.5a2.8 2.8 0 0 1-.3-5.6 3.8 3.8 0 0 1 7.3-.9 3.3 3.3 0 0 1-.4 6.5z",
        "person" => "M8 2.5a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2zM3 13.5a5 5 0 0 1 10 0",
        "bolt" => "M9 1.5L3.5 9H8l-1 5.5L12.5 7H8z",
        "plus" => "M8 3v10M3 8h10",
        "close" => "M4 4l8 8M12 4l-8 8",
        "help" => "M5.8 6a2.2 2.2 0 1 1 3.2 2c-.7.4-1 .8-1 1.6M8 12.4h.01",
        "theme-light" => {
            "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7"
        }
        "theme-dark" => "M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5z",
        "theme-auto" => "M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11",
        "screen" => "M2 3h12v8H2zM5.5 14h5M8 11v3",
        "search" => "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.3 10.3l3.2 3.2",
        "left" => "M10 3L5 8l5 5",
        "right" => "M6 3l5 5-5 5",
        "down" => "M3 6l5 5 5-5",
        "dock-left" => "M2 3h12v10H2zM6 3v10",
        "dock-right" => "M2 3h12v10H2zM10 3v10",
        "dock-bottom" => "M2 3h12v10H2zM2 9.5h12",
        "list" => "M6 4h7.5M6 8h7.5M6 12h7.5M2.8 4h.01M2.8 8h.01M2.8 12h.01",
        "pen" => "M3 13l.6-2.8L10.8 3l2.2 2.2-7.2 7.2zM9.3 4.5l2.2 2.2",
        "bin" => "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9",
        "check" => "M3 8.5l3.2 3.2L13 4.8",
        "cross" => "M4 4l8 8M12 4l-8 8",
        "file" => "M4 2h5l3 3v9H4zM9 2v3h3",
        "trophy" => "M5 2.5h6v4a3 3 0 0 1-6 0zM5 3.5H3v1a2 2 0 0 0 2 2M11 3.5h2v1a2 2 0 0 1-2 2M8 9.5v2M5.5 13.5h5",
        "hat" => "M1.5 6.5L8 3.5l6.5 3L8 9.5zM4.5 8v3.2c1.8 1.6 5.2 1.6 7 0V8M14.5 6.5v4",
        "into" => "M8 2v8M4.5 6.8L8 10.3l3.5-3.5M4 13.5h8",
        "next-node" => "M3 4h10M3 8h6M3 12h10M11 6l2.5 2-2.5 2",
        "to-end" => "M3 3v10l7-5zM12.5 3v10",
        "format" => "M2.5 3.5h11M5.5 6.5h8M5.5 9.5h6M2.5 12.5h11",
        "gear" => {
            "M8 5.6a2.4 2.4 0 1 0 0 4.8 2.4 2.4 0 0 0 0-4.8zM8 1.8v2M8 12.2v2M1.8 8h2M12.2 8h2M3.6 3.6l1.4 1.4M11 11l1.4 1.4M3.6 12.4L5 11M11 5l1.4-1.4"
        }
        "to-start" => "M3 3v10M9 3v10L4.5 8zM14 3v10L9.5 8z",
        "share" => "M8 10V2M5 4.8L8 1.8l3 3M4 7.5H2.8v6.2h10.4V7.5H12",
        "flag" => "M4 14V2.5h8L9.8 5.8 12 9H4",
        "branch" => {
            "M5 3v10M5 9.5c0-3 6-1.5 6-5M3.5 3a1.5 1.5 0 1 0 3 0 1.5 1.5 0 1 0-3 0M9.5 4a1.5 1.5 0 1 0 3 0 1.5 1.5 0 1 0-3 0"
        }
        "out" => "M6.5 3H3v10h10V9.5M9 3h4v4M13 3L7.5 8.5",
        "spotlight" => "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM2 5V2h3M11 2h3v3M14 11v3h-3M5 14H2v-3",
        "step-back" => "M12.5 3v10L6 8zM3.5 3v10",
        _ => "",
    }
}

#[derive(PartialEq, Properties)]
pub struct Props {
    pub name: AttrValue,
}

#[component]
pub fn Icon(p: &Props) -> Html {
    html! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
            <path d={path(&p.name)} fill={if p.name == "run" { "currentColor" } else { "none" }} />
        </svg>
    }
}
