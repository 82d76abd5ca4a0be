use vocabulary::Scaling;

const SCALING: Scaling = Scaling::horizontal(3, 1, 70);

fn main() {}
