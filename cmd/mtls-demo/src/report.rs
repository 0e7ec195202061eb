//! A report of headings and rows, and its plain text.

/// What `/status` shows, whatever its form.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) title: String,
    /// Ready, or why not.
    pub(crate) unready: Option<String>,
    pub(crate) sections: Vec<Section>,
}

#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) heading: String,
    /// What is wrong, if anything is.
    pub(crate) problem: Option<String>,
    pub(crate) rows: Vec<(&'static str, String)>,
}

/// For terminals.
pub(crate) fn text(report: &Report) -> String {
    let ready = report.unready.as_ref().map_or("ready".to_owned(), |reason| format!("NOT READY: {reason}"));
    let mut text = format!("{}\n{ready}\n", report.title);
    for section in &report.sections {
        text += &format!("\n{}\n", section.heading);
        if let Some(problem) = &section.problem {
            text += &format!("  {:<12}{problem}\n", "PROBLEM");
        }
        for (label, value) in &section.rows {
            text += &format!("  {label:<12}{value}\n");
        }
    }
    text
}
