//! What several rounds have shown of several subjects.

use super::Figure;

/// Values, by subject, column and round.
pub(crate) struct Rounds(Vec<Vec<Vec<f64>>>);

impl Rounds {
    pub(crate) fn of(subjects: usize) -> Self {
        Self(vec![Vec::new(); subjects])
    }

    /// Takes in a round of one subject: a value for each column.
    pub(crate) fn push<const COLUMNS: usize>(&mut self, subject: usize, values: [f64; COLUMNS]) {
        let Self(all) = self;
        let columns = &mut all[subject];
        columns.resize_with(COLUMNS, Vec::new);
        columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
    }

    pub(crate) fn figure(&self, subject: usize, column: usize, unit: &'static str) -> Figure {
        let Self(all) = self;
        Figure::of(&all[subject][column], unit)
    }

    /// The same as a multiple of the first subject's, round by round.
    pub(crate) fn ratio(&self, subject: usize, column: usize) -> Figure {
        self.ratio_to(subject, 0, column, "of null")
    }

    /// The same as a multiple of another subject's, round by round.
    pub(crate) fn ratio_to(&self, subject: usize, to: usize, column: usize, unit: &'static str) -> Figure {
        let Self(all) = self;
        let pairs = all[subject][column].iter().zip(&all[to][column]);
        Figure::of(&pairs.map(|(one, other)| one / other).collect::<Vec<_>>(), unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_those_of_each_round() {
        let mut rounds = Rounds::of(2);
        for (null, one) in [(100.0, 50.0), (200.0, 180.0), (400.0, 400.0)] {
            rounds.push(0, [null, 1.0]);
            rounds.push(1, [one, 2.0]);
        }
        assert_eq!(rounds.figure(1, 0, "/s").median, 180.0);
        let ratio = rounds.ratio(1, 0);
        assert_eq!((ratio.least, ratio.median, ratio.most), (0.5, 0.9, 1.0));
        assert_eq!(rounds.ratio(1, 1).median, 2.0);
    }
}
