//! Text: arguments in, lines, tables and times out. Knows nothing of pools' places.

pub(crate) mod arguments;
pub(crate) mod shell;
pub(crate) mod table;
pub(crate) mod times;
pub(crate) mod wrap;
