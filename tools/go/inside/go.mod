module weir.dev/tools/inside

go 1.26.0
