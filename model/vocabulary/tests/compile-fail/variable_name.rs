use vocabulary::Variable;

const VARIABLE: Variable = Variable::fixed("LOG-LEVEL", "info");

fn main() {}
