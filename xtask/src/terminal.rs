//! What commands show on standard output: steps, tables, colours.

mod progress;
mod steps;
mod style;
mod table;

pub(crate) use progress::Progress;
pub(crate) use steps::Steps;
pub(crate) use style::Style;
pub(crate) use table::{Cell, INDENT, TableRow, render, wrap};
