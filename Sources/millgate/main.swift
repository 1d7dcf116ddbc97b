print("millgate")
