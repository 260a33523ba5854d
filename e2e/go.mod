module corsguard/e2e

go 1.25.0
