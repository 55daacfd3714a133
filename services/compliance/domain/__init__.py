"""What the law allows: pure rules over text, reviews and looks. Libraries used here (ahocorasick_rs) only compute."""
