import Tron
print("x")
