//! Warnings of the API server in the output of Helm and kubectl.

/// The lines of standard error that contain warnings of the API server.
#[must_use]
pub fn of(output: &str) -> Vec<&str> {
    output.lines().filter(|line| is_warning(line)).collect()
}

fn is_warning(line: &str) -> bool {
    // kubectl: `Warning: …`; Helm 3: `W1125 10:00:00.000000   1 warnings.go:110] "Warning: …"`; Helm 4: `level=WARN msg="…"`.
    line.starts_with("Warning: ")
        || line.contains("warnings.go:")
        || line.contains("level=WARN")
        || line.contains("would violate PodSecurity")
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn warnings_are_told_from_the_rest() {
        let output = "NAME: afp\n\
                    W1125 01:00:00.000000    1234 warnings.go:110] \"Warning: would violate PodSecurity \\\"restricted:latest\\\"\"\n\
                    level=WARN msg=\"would violate PodSecurity\"\n\
                    Warning: unknown field \"spec.x\"\n\
                    Error: no warning\n";
        assert_eq!(of(output).len(), 3);
    }
}
