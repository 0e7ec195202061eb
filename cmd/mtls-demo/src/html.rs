//! The report for browsers.

use crate::report::{Report, Section};

const STYLE: &str = include_str!("status.css");

/// The page; it needs nothing from elsewhere.
pub(crate) fn page(report: &Report) -> String {
    let (class, state) = match &report.unready {
        None => ("ready", "ready".to_owned()),
        Some(reason) => ("unready", format!("not ready: {reason}")),
    };
    let sections: String = report.sections.iter().map(section).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head>\n<body><main><h1>{title}</h1><p class=\"state {class}\">{state}</p>\n{sections}</main></body></html>\n",
        title = escaped(&report.title),
        state = escaped(&state),
    )
}

fn section(section: &Section) -> String {
    let problem =
        section.problem.as_ref().map(|problem| format!("<p class=\"problem\">{}</p>", escaped(problem)));
    let rows: String = section
        .rows
        .iter()
        .map(|(label, value)| format!("<dt>{}</dt><dd>{}</dd>\n", escaped(label), escaped(value)))
        .collect();
    format!(
        "<section><h2>{}</h2>{}<dl>\n{rows}</dl></section>\n",
        escaped(&section.heading),
        problem.unwrap_or_default()
    )
}

/// Names in certificates are the words of others.
fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => "&amp;".into(),
            '<' => "&lt;".into(),
            '>' => "&gt;".into(),
            '"' => "&quot;".into(),
            '\'' => "&#39;".into(),
            c => c.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests;
