//! What was measured: a table for people, JSON for programs, plots for both.

mod plots;
mod rounds;
mod table;

use std::{fs, path::Path};

use serde::Serialize;

pub(crate) use self::{plots::Plot, rounds::Rounds};
use crate::{Result, machine::Machine};

/// The results of a scenario.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) columns: Vec<&'static str>,
    pub(crate) rows: Vec<Row>,
    #[serde(skip)]
    pub(crate) plots: Vec<Plot>,
}

/// What was measured of one subject.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) subject: String,
    pub(crate) figures: Vec<Figure>,
}

/// The median of some rounds, with the least and the most.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    pub(crate) unit: &'static str,
}

impl Figure {
    pub(crate) fn one(value: f64, unit: &'static str) -> Self {
        Self { median: value, least: value, most: value, unit }
    }

    pub(crate) fn of(values: &[f64], unit: &'static str) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median = match (sorted.len() % 2, sorted.as_slice()) {
            (_, []) => f64::NAN,
            (0, _) => f64::midpoint(sorted[middle - 1], sorted[middle]),
            (_, _) => sorted[middle],
        };
        let (least, most) = (sorted.first().copied(), sorted.last().copied());
        Self { median, least: least.unwrap_or(median), most: most.unwrap_or(median), unit }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    machine: &'a Machine,
    kubernetes: &'a str,
    began: jiff::Timestamp,
    rounds: usize,
    sections: &'a [Section],
}

/// A report under way.
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) kubernetes: String,
    pub(crate) began: jiff::Timestamp,
    pub(crate) rounds: usize,
    sections: Vec<Section>,
}

impl Report {
    pub(crate) fn new(machine: Machine, kubernetes: &str, rounds: usize) -> Self {
        let began = jiff::Timestamp::now();
        Self { machine, kubernetes: kubernetes.to_owned(), began, rounds, sections: Vec::new() }
    }

    /// Prints the head.
    pub(crate) fn begin(&self) {
        let Machine { processor, cores, memory_gib, kernel, .. } = &self.machine;
        println!(
            "{processor}, {cores} cores, {memory_gib} GiB, Linux {kernel}; Kubernetes {}",
            self.kubernetes
        );
        println!("medians of {} rounds, (least to most)", self.rounds);
        if let Some(warning) = self.machine.warning() {
            println!("! {warning}");
        }
    }

    /// Prints a section, and writes all that there is so far.
    pub(crate) fn add(&mut self, section: Section, out: &Path) -> Result<()> {
        println!("\n{}", table::render(&section));
        for plot in &section.plots {
            plot.write(&out.join(format!("{}.svg", plot.file)))?;
        }
        self.sections.push(section);
        let document = Document {
            machine: &self.machine,
            kubernetes: &self.kubernetes,
            began: self.began,
            rounds: self.rounds,
            sections: &self.sections,
        };
        Ok(fs::write(out.join("results.json"), serde_json::to_vec_pretty(&document)?)?)
    }
}
