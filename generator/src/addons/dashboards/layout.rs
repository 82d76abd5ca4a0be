//! The places of panels on Grafana's grid.

use super::schema::GridPos;
use crate::dashboard::{COLUMNS, Panel, Row, View};

/// The height of the heading of a row.
const HEADING: u32 = 1;

/// A row with the place of its heading and of each panel.
pub(super) struct Placed {
    pub(super) title: String,
    pub(super) heading: GridPos,
    pub(super) panels: Vec<(GridPos, Panel)>,
}

/// Places the rows one below the other. The panels of a row stand side by side in lines. The panels of a line have one height, and a line that
/// is not full is widened, up to twice.
pub(super) fn place(rows: Vec<Row>) -> Vec<Placed> {
    let mut y = 0;
    rows.into_iter()
        .map(|row| {
            let heading = GridPos { x: 0, y, w: COLUMNS.into(), h: HEADING };
            y += HEADING;
            let mut panels = Vec::new();
            for line in lines(row.panels) {
                let h = line.iter().map(height).max().unwrap_or_default();
                for ((x, w), panel) in columns(&line).into_iter().zip(line) {
                    panels.push((GridPos { x, y, w, h }, panel));
                }
                y += h;
            }
            Placed { title: row.title, heading, panels }
        })
        .collect()
}

fn height(panel: &Panel) -> u32 {
    match &panel.view {
        View::Stat { .. } => 4,
        View::Lines { .. } | View::Table { .. } => 7,
        View::Text(markdown) => 2 + u32::try_from(markdown.lines().count()).unwrap_or(u32::MAX).min(10),
    }
}

/// The panels by lines. Only panels of the same height share a line, unless the whole row fits on one.
fn lines(panels: Vec<Panel>) -> Vec<Vec<Panel>> {
    let all: u32 = panels.iter().map(|panel| u32::from(panel.width)).sum();
    let fits = all <= COLUMNS.into();
    let mut lines: Vec<Vec<Panel>> = Vec::new();
    let mut used = 0;
    for panel in panels {
        let joins = lines
            .last()
            .is_some_and(|line| fits || used + panel.width <= COLUMNS && height(&line[0]) == height(&panel));
        if joins {
            used += panel.width;
        } else {
            used = panel.width;
            lines.push(Vec::new());
        }
        lines.last_mut().expect("a line was added").push(panel);
    }
    lines
}

/// The first column and the width of each panel of a line.
fn columns(line: &[Panel]) -> Vec<(u32, u32)> {
    let all: u32 = line.iter().map(|panel| u32::from(panel.width)).sum();
    let wide = (2 * all).min(COLUMNS.into());
    let mut before = 0;
    line.iter()
        .map(|panel| {
            let x = before * wide / all;
            before += u32::from(panel.width);
            (x, before * wide / all - x)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::{States, Unit};

    fn stat(width: u8) -> Panel {
        Panel::stat("", "", Unit::Short, States::Plain, Vec::new()).width(width)
    }

    fn lines(width: u8) -> Panel {
        Panel::lines("", "", Unit::Short, Vec::new()).width(width)
    }

    fn places(panels: Vec<Panel>) -> Vec<[u32; 4]> {
        let placed = place(vec![Row { title: String::new(), panels }]);
        placed[0].panels.iter().map(|(at, _)| [at.x, at.y, at.w, at.h]).collect()
    }

    #[test]
    fn a_row_that_fits_on_a_line_has_one_height() {
        assert_eq!(places(vec![stat(4), lines(12)]), [[0, 1, 6, 7], [6, 1, 18, 7]]);
    }

    #[test]
    fn a_line_is_full_and_a_short_one_is_widened_twice_at_most() {
        let expected = [[0, 1, 12, 4], [12, 1, 12, 4], [0, 5, 24, 7], [0, 12, 6, 4]];
        assert_eq!(places(vec![stat(12), stat(12), lines(12), stat(3)]), expected);
    }

    #[test]
    fn rows_follow_each_other() {
        let row = || Row { title: String::new(), panels: vec![lines(24)] };
        let placed = place(vec![row(), row()]);
        assert_eq!(placed[1].heading, GridPos { x: 0, y: 8, w: 24, h: 1 });
    }
}
