enum CrewPlaceholder {}
