module corsguard

go 1.23.0
