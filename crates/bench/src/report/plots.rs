//! Lines in a plane, as SVG.

use std::path::Path;

use plotters::prelude::*;

use crate::Result;

/// A plot with a line for each subject.
#[derive(Clone, Debug)]
pub(crate) struct Plot {
    /// The file's name, without its ending.
    pub(crate) file: String,
    pub(crate) title: String,
    pub(crate) x: &'static str,
    pub(crate) y: &'static str,
    pub(crate) lines: Vec<Line>,
}

/// What was measured of one subject.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) subject: String,
    pub(crate) points: Vec<(f64, f64)>,
}

const SIZE: (u32, u32) = (760, 420);

/// Points of a line that are marked.
const MOST_MARKED: usize = 12;

/// Distinct to those who see few colours, too (Okabe and Ito's palette).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

impl Plot {
    pub(crate) fn line(mut self, subject: &str, points: Vec<(f64, f64)>) -> Self {
        self.lines.push(Line { subject: subject.to_owned(), points });
        self
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let all = || self.lines.iter().flat_map(|line| line.points.iter().copied());
        let most = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::MIN_POSITIVE, f64::max);
        let (right, top) = (most(&mut all().map(|(x, _)| x)), most(&mut all().map(|(_, y)| y)));
        let area = SVGBackend::new(path, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(&self.title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(56)
            .build_cartesian_2d(0.0..right, 0.0..top * 1.08)?;
        chart.configure_mesh().light_line_style(TRANSPARENT).x_desc(self.x).y_desc(self.y).draw()?;
        for (line, colour) in self.lines.iter().zip(COLOURS.iter().cycle()) {
            let style = colour.stroke_width(2);
            // where there are many, they would be all that is seen
            let point = if line.points.len() <= MOST_MARKED { 3 } else { 0 };
            chart
                .draw_series(LineSeries::new(line.points.iter().copied(), style).point_size(point))?
                .label(&line.subject)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .border_style(BLACK.mix(0.2))
            .background_style(WHITE.mix(0.9))
            .draw()?;
        area.present()?;
        Ok(())
    }
}
